import type { Instruction, Pair } from './dockerfile.ts';
import { parseFlags } from './flags.ts';
import { invalid } from './invalid.ts';
import { splitWords } from './split-words.ts';
import type { Statement } from './statement.ts';

export function parseEnv(statement: Statement): Instruction {
  return { kind: 'env', pairs: pairsOf(statement), at: statement.at, code: statement.code };
}

export function parseLabel(statement: Statement): Instruction {
  return { kind: 'label', pairs: pairsOf(statement), at: statement.at, code: statement.code };
}

export function parseArg({ flags, rest, escape, at, code }: Statement): Instruction {
  parseFlags(flags, {});
  const words = splitWords(rest, escape);
  if (words.length === 0) throw invalid('ARG requires at least one argument');
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw invalid('ARG names can not be blank');
    return equals === -1
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { kind: 'arg', args, at, code };
}

/** `NAME=value ...`, or the old form `NAME the whole rest`: whichever of `=` and white space comes first decides. */
function pairsOf({ keyword, flags, rest, escape }: Statement): readonly Pair[] {
  parseFlags(flags, {});
  const words = splitWords(rest, escape);
  const [first] = words;
  if (first === undefined) throw invalid(`${keyword} requires at least one argument`);
  if (!first.includes('=')) return [oldPair(keyword, rest)];
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === -1)
      throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    if (equals === 0) throw invalid(`${keyword} names can not be blank`);
    return { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function oldPair(keyword: string, rest: string): Pair {
  const blank = rest.search(/\s/);
  if (blank === -1) throw invalid(`${keyword} must have two arguments`);
  return { name: rest.slice(0, blank), value: rest.slice(blank).trimStart() };
}
