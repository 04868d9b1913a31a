import { StatusError } from '#base/errors.ts';

/** A compiled pattern over `/`-separated relative paths. */
export interface PathPattern {
  /** The whole path. */
  matches(path: string): boolean;
  /** The whole path, or a folder above it. */
  matchesOrAbove(path: string): boolean;
}

type Token =
  | { readonly kind: 'char'; readonly char: string }
  /** One character, but not `/`. */
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }
  /** Any run without `/`. */
  | { readonly kind: 'star' }
  /** Any run. */
  | { readonly kind: 'globstar' }
  /** Nothing, or any run that ends with `/`: the next token is its inside, the one behind that its end. */
  | { readonly kind: 'folders' }
  | { readonly kind: 'inside' };

const maxPatternLength = 4096;

/**
 * Compiles a pattern of Go's filepath.Match (`*`, `?`, `[a-z]`, `\`) with `**` for any number of folders, as
 * .dockerignore has it. Matching takes time linear in the path. Throws InvalidArgument for a broken pattern.
 */
export function compilePathPattern(pattern: string): PathPattern {
  if (pattern.length > maxPatternLength) throw bad(pattern, `longer than ${String(maxPatternLength)} characters`);
  const tokens = tokenize(pattern);
  const literal = tokens.every((token) => token.kind === 'char')
    ? tokens.map((token) => (token.kind === 'char' ? token.char : '')).join('')
    : undefined;
  if (literal !== undefined)
    return {
      matches: (path) => path === literal,
      matchesOrAbove: (path) => path === literal || path.startsWith(`${literal}/`),
    };
  return {
    matches: (path) => run(tokens, path, false),
    matchesOrAbove: (path) => run(tokens, path, true),
  };
}

/** Whether a path holds a character that filepath.Match takes specially; an escaped one is none. */
export function hasWildcard(path: string): boolean {
  return /[*?[]/.test(path.replace(/\\./gs, ''));
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern.charAt(at);
    if (character === '*') {
      const end = at + (/^\*+/.exec(pattern.slice(at))?.[0].length ?? 1);
      if (end - at === 1) tokens.push({ kind: 'star' });
      else if (pattern.charAt(end) !== '/') tokens.push({ kind: 'globstar' });
      else tokens.push({ kind: 'folders' }, { kind: 'inside' });
      at = end - at > 1 && pattern.charAt(end) === '/' ? end + 1 : end;
    } else if (character === '[') {
      const { token, end } = readClass(pattern, at);
      tokens.push(token);
      at = end;
    } else {
      if (character === '\\') at += 1;
      if (at >= pattern.length) throw bad(pattern, 'it ends with an escape');
      const char = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
      tokens.push(character === '?' ? { kind: 'any' } : { kind: 'char', char });
      at += char.length;
    }
  }
  return tokens;
}

function readClass(pattern: string, start: number): { token: Token; end: number } {
  let at = start + 1;
  const negated = pattern.charAt(at) === '^';
  if (negated) at += 1;
  const ranges: [number, number][] = [];
  const read = (): number => {
    if (pattern.charAt(at) === '\\') at += 1;
    const point = pattern.codePointAt(at);
    if (point === undefined || pattern.charAt(at) === '/') throw bad(pattern, 'a [ is not closed');
    at += String.fromCodePoint(point).length;
    return point;
  };
  while (pattern.charAt(at) !== ']' || ranges.length === 0) {
    if (pattern.charAt(at) === ']') throw bad(pattern, 'a [] is empty');
    const low = read();
    let high = low;
    if (pattern.charAt(at) === '-') {
      at += 1;
      if (pattern.charAt(at) === ']') throw bad(pattern, 'a range in [] has no end');
      high = read();
    }
    ranges.push([low, high]);
  }
  return { token: { kind: 'class', negated, ranges }, end: at + 1 };
}

function bad(pattern: string, why: string): StatusError {
  return new StatusError('InvalidArgument', `syntax error in pattern ${JSON.stringify(pattern.slice(0, 200))}: ${why}`);
}

/** Runs the tokens as an automaton over the path. */
function run(tokens: readonly Token[], path: string, above: boolean): boolean {
  let states = closure(tokens, new Set([0]));
  for (const character of path) {
    if (states.size === 0) return false;
    if (above && character === '/' && states.has(tokens.length)) return true;
    const next = new Set<number>();
    for (const state of states) advance(tokens[state], state, character, next);
    states = closure(tokens, next);
  }
  return states.has(tokens.length);
}

function advance(token: Token | undefined, state: number, character: string, next: Set<number>): void {
  if (token?.kind === 'char') {
    if (token.char === character) next.add(state + 1);
  } else if (token?.kind === 'any') {
    if (character !== '/') next.add(state + 1);
  } else if (token?.kind === 'class') {
    if (character !== '/' && inClass(token, character.codePointAt(0) ?? 0)) next.add(state + 1);
  } else if (token?.kind === 'star') {
    if (character !== '/') next.add(state);
  } else if (token?.kind === 'globstar') next.add(state);
  else if (token?.kind === 'inside') {
    next.add(state);
    if (character === '/') next.add(state + 1);
  }
}

function inClass(token: Token & { readonly kind: 'class' }, point: number): boolean {
  return token.ranges.some(([low, high]) => point >= low && point <= high) !== token.negated;
}

/** What can be skipped without a character; a set that is iterated while it grows visits what is added. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const kind = tokens[state]?.kind;
    if (kind === 'star' || kind === 'globstar') states.add(state + 1);
    if (kind === 'folders') {
      states.add(state + 1);
      states.add(state + 2);
    }
  }
  return states;
}
