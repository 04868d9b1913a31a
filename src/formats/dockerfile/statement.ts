import type { EscapeCharacter, Heredoc, LineRange } from './dockerfile.ts';
import { invalid } from './invalid.ts';
import { parseJsonWords, splitFlags } from './split-words.ts';

/** An instruction's line taken apart: what every parser of one instruction gets. */
export interface Statement {
  /** Upper case. */
  readonly keyword: string;
  /** `--name=value` words. */
  readonly flags: readonly string[];
  /** Everything after the flags, trimmed. */
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  readonly escape: EscapeCharacter;
  readonly at: LineRange;
  readonly code: string;
}

/** Takes a line apart; the keyword is what comes before the first white space. */
export function readStatement(
  line: { readonly text: string; readonly at: LineRange; readonly heredocs: readonly Heredoc[] },
  escape: EscapeCharacter,
): Statement {
  const keyword = /^\S*/.exec(line.text)?.[0] ?? '';
  const { flags, rest } = splitFlags(line.text.slice(keyword.length));
  return { keyword: keyword.toUpperCase(), flags, rest, heredocs: line.heredocs, escape, at: line.at, code: line.text };
}

/** The strings of the JSON form; undefined when the arguments are not in that form. */
export function jsonWords(text: string): readonly string[] | undefined {
  const words = parseJsonWords(text);
  if (words === 'not-strings') throw invalid('when using JSON array syntax, arrays must be comprised of strings only');
  return words;
}
