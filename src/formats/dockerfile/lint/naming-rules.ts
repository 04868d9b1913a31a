import type { Dockerfile, LineRange, Stage } from '../dockerfile.ts';
import type { Finding } from './lint-rules.ts';

const reservedNames: readonly string[] = ['context', 'scratch'];

/** How things are called and written: stages, keywords, continued lines. */
export function namingFindings(dockerfile: Dockerfile): readonly Finding[] {
  return [
    ...dockerfile.warnings.map(({ line }): Finding => {
      return { rule: 'NoEmptyContinuation', text: 'Empty continuation line', at: { start: line, end: line } };
    }),
    ...dockerfile.stages.flatMap((stage) => stageFindings(stage, dockerfile.stages)),
    ...casingFindings(dockerfile),
  ];
}

function stageFindings(stage: Stage, stages: readonly Stage[]): readonly Finding[] {
  const [from = '', as = '', written = ''] = /^(\S+).*\s(as)\s+(\S+)\s*$/is.exec(stage.code)?.slice(1) ?? [];
  if (written === '') return [];
  const { at, name } = stage;
  const findings: Finding[] = [];
  if (written !== name)
    findings.push({ rule: 'StageNameCasing', text: `Stage name '${written}' should be lowercase`, at });
  if ((isLower(from) && !isLower(as)) || (isUpper(from) && !isUpper(as)))
    findings.push({ rule: 'FromAsCasing', text: `'${as}' and '${from}' keywords' casing do not match`, at });
  if (reservedNames.includes(name)) {
    const text = `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`;
    findings.push({ rule: 'ReservedStageName', text, at });
  }
  if (stages.some((other) => other.index < stage.index && other.name === name)) {
    const text = `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`;
    findings.push({ rule: 'DuplicateStageName', text, at });
  }
  return findings;
}

function casingFindings({ globalArgs, stages }: Dockerfile): readonly Finding[] {
  const written = [...globalArgs, ...stages.flatMap((stage) => [stage, ...stage.instructions])].map(keywordOf);
  const lower = written.filter(({ keyword }) => isLower(keyword)).length;
  const upper = written.filter(({ keyword }) => isUpper(keyword)).length;
  const isRight = lower > upper ? isLower : isUpper;
  const casing = lower > upper ? 'lowercase' : 'uppercase';
  return written
    .filter(({ keyword }) => !isRight(keyword))
    .map(({ keyword, at }): Finding => {
      const text = `Command '${keyword}' should match the case of the command majority (${casing})`;
      return { rule: 'ConsistentInstructionCasing', text, at };
    });
}

function keywordOf({ code, at }: { readonly code: string; readonly at: LineRange }) {
  return { keyword: /^\S*/.exec(code)?.[0] ?? '', at };
}

function isLower(text: string): boolean {
  return text === text.toLowerCase();
}

function isUpper(text: string): boolean {
  return text === text.toUpperCase();
}
