import type { ArgInstruction, Dockerfile, Instruction, LineRange, SourceFile, Stage } from './dockerfile.ts';
import { invalid } from './invalid.ts';
import { parseError, readLogicalLines } from './logical-lines.ts';
import { parseInstruction } from './parse-instruction.ts';
import { placed, sourceError } from './source-error.ts';
import { readStatement } from './statement.ts';

type OpenStage = Omit<Stage, 'instructions'> & { readonly instructions: Instruction[] };

/**
 * Parses a Dockerfile (Dockerfile reference, BuildKit's front end 1.x). Throws InvalidArgument with a problem at
 * `<fileName>:<line>` and an excerpt, TooLarge for a text of more than 4 Mi characters.
 */
export function parseDockerfile(text: string, fileName = 'Dockerfile'): Dockerfile {
  const { source, escape, directives, lines, warnings } = readLogicalLines(text, fileName);
  const globalArgs: ArgInstruction[] = [];
  const stages: OpenStage[] = [];
  for (const line of lines) {
    const parsed = located(source, line.at, () => parseInstruction(readStatement(line, escape)));
    const stage = stages.at(-1);
    if (parsed.kind === 'from') {
      const { name, base, platform, at, code } = parsed;
      stages.push({ index: stages.length, name, base, platform, at, code, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(parsed);
    else if (parsed.kind === 'arg') globalArgs.push(parsed);
    else throw parseError(source, line.at, 'no build stage in current context');
  }
  if (lines.length === 0) throw sourceError(source, { start: 1, end: 1 }, 'file with no instructions');
  if (stages.length === 0)
    throw sourceError(source, { start: 1, end: 1 }, 'dockerfile contains no stages to build: it has no FROM');
  return { source, escape, directives, globalArgs, stages, warnings };
}

/**
 * Parses one trigger of a base image's ONBUILD, with its here-documents; its place is the FROM line that pulled it in.
 */
export function parseTrigger(trigger: string, dockerfile: Dockerfile, at: LineRange): Instruction {
  const { lines } = readLogicalLines(trigger, dockerfile.source.name);
  const [line] = lines;
  const prefix = 'ONBUILD trigger of the base image is wrong: ';
  if (line === undefined || lines.length > 1)
    throw sourceError(dockerfile.source, at, `${prefix}it should be a single instruction`);
  try {
    const parsed = parseInstruction(readStatement({ ...line, at }, dockerfile.escape));
    if (parsed.kind === 'from' || parsed.kind === 'onbuild')
      throw invalid(`${parsed.kind.toUpperCase()} isn't allowed`);
    return parsed;
  } catch (error) {
    throw placed(error, dockerfile.source, at, prefix);
  }
}

/** Runs a parser that knows no place, and adds it to what it throws. */
function located<T>(source: SourceFile, at: LineRange, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw placed(error, source, at, `dockerfile parse error on line ${String(at.start)}: `);
  }
}
