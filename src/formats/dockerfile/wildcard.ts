import { StatusError } from '#base/errors.ts';
import { invalid } from './invalid.ts';

type Token = { readonly kind: 'char'; readonly char: string } | { readonly kind: 'any' } | { readonly kind: 'star' };

/** A compiled pattern of `${name#pattern}`: `?` is one character, `*` any run. */
export interface Wildcard {
  /** The length of the shortest or longest beginning of `text` that matches; undefined when none does. */
  prefixLength(text: string, longest: boolean): number | undefined;
  /** The same for endings. */
  suffixLength(text: string, longest: boolean): number | undefined;
  /** `text` with the first match, or all, replaced by `replacement`; matches are as long as can be. */
  replace(text: string, replacement: string, all: boolean): string;
}

/** Steps that one substitution may take, some 100 ms: a value times a pattern of a megabyte each would take hours. */
const maxSteps = 10_000_000;

/** Compiles a pattern; throws InvalidArgument for an escape that escapes nothing. */
export function compileWildcard(pattern: string): Wildcard {
  const tokens = tokenize(pattern);
  const reversed = tokens.toReversed();
  const hasStar = tokens.some(({ kind }) => kind === 'star');
  return {
    prefixLength(text, longest) {
      bound(text.length * tokens.length, text);
      return matchLength(tokens, Array.from(text), 0, longest)?.length;
    },
    suffixLength(text, longest) {
      bound(text.length * tokens.length, text);
      return matchLength(reversed, Array.from(text).reverse(), 0, longest)?.length;
    },
    replace(text, replacement, all) {
      bound(text.length * (hasStar ? text.length : 1) * tokens.length, text);
      return replaceMatches(tokens, text, replacement, all);
    },
  };
}

function bound(steps: number, text: string): void {
  if (steps > maxSteps)
    throw new StatusError(
      'TooLarge',
      `the value of ${String(text.length)} characters is too long for this substitution`,
    );
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at += 1) {
    const char = characters[at] ?? '';
    if (char === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (char === '?') tokens.push({ kind: 'any' });
    else if (char === '\\') {
      at += 1;
      const escaped = characters[at] ?? '';
      if (escaped === '' || !String.raw`*?\}/`.includes(escaped))
        throw invalid(`invalid pattern (${pattern}) in substitution: invalid escape '\\${escaped}'`);
      tokens.push({ kind: 'char', char: escaped });
    } else tokens.push({ kind: 'char', char });
  }
  return tokens;
}

/**
 * Runs the tokens as an automaton from `start`. The length is in UTF-16 units, as `slice` wants it; `count` in
 * characters.
 */
function matchLength(
  tokens: readonly Token[],
  text: readonly string[],
  start: number,
  longest: boolean,
): { length: number; count: number } | undefined {
  let states = closure(tokens, new Set([0]));
  let found: { length: number; count: number } | undefined;
  let length = 0;
  for (let at = start; ; at += 1) {
    if (states.has(tokens.length)) {
      found = { length, count: at - start };
      if (!longest) break;
    }
    const char = text[at];
    if (char === undefined || states.size === 0) break;
    const next = new Set<number>();
    for (const state of states) {
      const token = tokens[state];
      if (token?.kind === 'star') next.add(state);
      else if (token?.kind === 'any' || (token?.kind === 'char' && token.char === char)) next.add(state + 1);
    }
    states = closure(tokens, next);
    length += char.length;
  }
  return found;
}

/** A star may match nothing. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (tokens[state]?.kind === 'star') states.add(state + 1);
  return states;
}

function replaceMatches(tokens: readonly Token[], text: string, replacement: string, all: boolean): string {
  const characters = Array.from(text);
  let result = '';
  let at = 0;
  while (at < characters.length) {
    const match = matchLength(tokens, characters, at, true);
    if (match === undefined || match.count === 0) {
      result += characters[at] ?? '';
      at += 1;
      continue;
    }
    result += replacement;
    at += match.count;
    if (!all) break;
  }
  return result + characters.slice(at).join('');
}
