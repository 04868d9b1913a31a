import { anyButNewline, anyCharacter, characterSet, perlClasses, single, type CharacterSet } from './character-set.ts';
import { readBrackets, readUnicodeClass } from './read-class.ts';
import { readEscape } from './read-escape.ts';
import { syntaxError, type SyntaxTree } from './syntax-tree.ts';

export interface ParsedExpression {
  readonly tree: SyntaxTree;
  /** Names of the groups by their number; index 0 is the whole. */
  readonly groupNames: readonly (string | undefined)[];
}

interface Flags {
  readonly folds: boolean;
  readonly isMultiline: boolean;
  readonly dotIsAll: boolean;
  readonly isUngreedy: boolean;
}

/** As regexp/syntax has them. */
const repeatMost = 1000;
const depthMost = 1000;

const startFlags: Flags = { folds: false, isMultiline: false, dotIsAll: false, isUngreedy: false };
const nothing: SyntaxTree = { type: 'empty' };

/** Reads an expression in the syntax of Go's regexp package (RE2, `perl` flags). Throws InvalidArgument in Go's words. */
export function parseExpression(text: string): ParsedExpression {
  const parser = new Parser(text);
  return { tree: parser.whole(), groupNames: parser.groupNames };
}

class Parser {
  readonly groupNames: (string | undefined)[] = [undefined];
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #flags = startFlags;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): SyntaxTree {
    const tree = this.#choice();
    if (this.#at < this.#text.length) throw syntaxError('unexpected )', this.#text);
    return tree;
  }

  #choice(): SyntaxTree {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    const [only = nothing] = parts;
    return parts.length === 1 ? only : { type: 'choice', parts };
  }

  #sequence(): SyntaxTree {
    const parts: SyntaxTree[] = [];
    while (this.#at < this.#text.length && !this.#sees('|') && !this.#sees(')')) {
      if (this.#sees('\\Q')) parts.push(...this.#quoted());
      else {
        const part = this.#atom();
        if (part !== undefined) parts.push(part);
      }
      this.#repeatLast(parts);
    }
    const [only = nothing] = parts;
    return parts.length <= 1 ? only : { type: 'sequence', parts };
  }

  /** Undefined for what only sets flags. */
  #atom(): SyntaxTree | undefined {
    const start = this.#at;
    const letter = this.#next();
    switch (letter) {
      case '(':
        return this.#group(start);
      case '[': {
        const { set, end } = readBrackets(this.#text, start, this.#flags.folds);
        this.#at = end;
        return { type: 'set', set };
      }
      case '.':
        return { type: 'set', set: this.#flags.dotIsAll ? anyCharacter : anyButNewline };
      case '^':
        return { type: 'assertion', assertion: this.#flags.isMultiline ? 'line-start' : 'text-start' };
      case '$':
        return { type: 'assertion', assertion: this.#flags.isMultiline ? 'line-end' : 'text-end' };
      case '\\':
        return this.#escape(start);
      case '*':
      case '+':
      case '?':
        throw syntaxError('missing argument to repetition operator', letter);
      case '{':
        if (repeatPattern.test(this.#text.slice(start)))
          throw syntaxError('missing argument to repetition operator', countText(this.#text, start));
        return this.#literal('{');
      default:
        return this.#literal(letter);
    }
  }

  #literal(letter: string): SyntaxTree {
    return { type: 'set', set: single(letter.codePointAt(0) ?? 0, this.#flags.folds) };
  }

  #quoted(): readonly SyntaxTree[] {
    const end = this.#text.indexOf('\\E', this.#at + 2);
    const text = this.#text.slice(this.#at + 2, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#text.length : end + 2;
    return Array.from(text, (letter) => this.#literal(letter));
  }

  #escape(start: number): SyntaxTree {
    const letter = this.#text[this.#at] ?? '';
    const assertion = assertions[letter];
    if (assertion !== undefined) {
      this.#at += 1;
      return { type: 'assertion', assertion };
    }
    const { folds } = this.#flags;
    const perl = Object.hasOwn(perlClasses, letter) ? perlClasses[letter] : undefined;
    let set: CharacterSet;
    if (perl !== undefined) {
      this.#at += 1;
      set = characterSet([perl], false, folds);
    } else if (letter === 'p' || letter === 'P') {
      const { part, end } = readUnicodeClass(this.#text, start);
      this.#at = end;
      set = characterSet([part], false, folds);
    } else {
      const { codePoint, end } = readEscape(this.#text, start);
      this.#at = end;
      set = single(codePoint, folds);
    }
    return { type: 'set', set };
  }

  #group(start: number): SyntaxTree | undefined {
    const outside = this.#flags;
    let number: number | undefined;
    if (this.#sees('?')) {
      const name = this.#groupName(start);
      if (name === undefined) {
        if (!this.#readFlags(start)) return undefined;
      } else number = this.groupNames.push(name) - 1;
    } else number = this.groupNames.push(undefined) - 1;
    this.#depth += 1;
    if (this.#depth > depthMost) throw syntaxError('expression nests too deeply', this.#text);
    const part = this.#choice();
    this.#depth -= 1;
    if (!this.#take(')')) throw syntaxError('missing closing )', this.#text);
    this.#flags = outside;
    return number === undefined ? part : { type: 'group', part, number };
  }

  /** `?P<name>` and `?<name>`; undefined: it has none. */
  #groupName(start: number): string | undefined {
    const open = /^\?P?</.exec(this.#text.slice(this.#at, this.#at + 3))?.[0];
    if (open === undefined) return undefined;
    const end = this.#text.indexOf('>', this.#at);
    if (end < 0) throw syntaxError('invalid named capture', this.#text.slice(start));
    const name = this.#text.slice(this.#at + open.length, end);
    if (!/^\w+$/.test(name)) throw syntaxError('invalid named capture', this.#text.slice(start, end + 1));
    this.#at = end + 1;
    return name;
  }

  /** `?i-s:` begins a group, `?i-s)` is none: false. */
  #readFlags(start: number): boolean {
    const found = /^\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#text.slice(this.#at));
    if (found === null) throw this.#flagError(start);
    const [whole, on = '', off = '', end = ''] = found;
    for (const [letters, value] of [
      [on, true],
      [off, false],
    ] as const)
      for (const letter of letters) this.#flags = { ...this.#flags, [flagNames[letter] ?? '']: value };
    this.#at += whole.length;
    return end === ':';
  }

  #flagError(start: number): Error {
    const rest = this.#text.slice(start);
    const bad = /^\(\?(?:[imsU]|-(?!-))*/.exec(rest)?.[0] ?? '(?';
    const [next = ''] = rest.slice(bad.length, bad.length + 2);
    return syntaxError('invalid or unsupported Perl syntax', bad + next);
  }

  #repeatLast(parts: SyntaxTree[]): void {
    let before = '';
    for (;;) {
      const start = this.#at;
      const count = this.#repetition();
      if (count === undefined) return;
      const isLazy = this.#take('?');
      const own = this.#text.slice(start, this.#at);
      if (before !== '') throw syntaxError('invalid nested repetition operator', before + own);
      const part = parts.pop();
      if (part === undefined) throw syntaxError('missing argument to repetition operator', own);
      const [least, most] = count;
      const repeat = { type: 'repeat', part, least, most, isGreedy: isLazy === this.#flags.isUngreedy } as const;
      if (repeatsOf(repeat) > repeatMost) throw syntaxError('invalid repeat count', own);
      parts.push(repeat);
      before = own;
    }
  }

  /** Undefined: no operator is here, or only what looks like one. */
  #repetition(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const found = repeatPattern.exec(this.#text.slice(this.#at, this.#at + countLengthMost));
    if (found === null) return undefined;
    const [whole, first = '', comma, last = ''] = found;
    const least = Number(first);
    const most = comma === undefined ? least : last === '' ? Infinity : Number(last);
    const tooMany = least > repeatMost || (most !== Infinity && most > repeatMost);
    if (tooMany || least > most) throw syntaxError('invalid repeat count', whole);
    this.#at += whole.length;
    return [least, most];
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #next(): string {
    const letter = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    this.#at += letter.length;
    return letter;
  }
}

const repeatPattern = /^\{(0|[1-9]\d{0,9})(,(0|[1-9]\d{0,9})?)?\}/;
const countLengthMost = 32;

function countText(text: string, start: number): string {
  return repeatPattern.exec(text.slice(start))?.[0] ?? '{';
}

const assertions: Readonly<Record<string, Extract<SyntaxTree, { type: 'assertion' }>['assertion']>> = {
  A: 'text-start',
  z: 'text-end',
  b: 'word-boundary',
  B: 'no-word-boundary',
};

const flagNames: Readonly<Record<string, keyof Flags>> = {
  i: 'folds',
  m: 'isMultiline',
  s: 'dotIsAll',
  U: 'isUngreedy',
};

/** How often repetitions within each other multiply their innermost part. */
function repeatsOf(tree: SyntaxTree): number {
  switch (tree.type) {
    case 'sequence':
    case 'choice':
      return tree.parts.reduce((most, part) => Math.max(most, repeatsOf(part)), 1);
    case 'group':
      return repeatsOf(tree.part);
    case 'repeat': {
      const count = tree.most === Infinity ? tree.least : tree.most;
      return Math.max(1, count) * repeatsOf(tree.part);
    }
    default:
      return 1;
  }
}
