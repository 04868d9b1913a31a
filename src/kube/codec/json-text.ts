import { StatusError } from '#base/errors.ts';

/** Values within values: enough for every kind, and far from where recursion ends. */
const maximumDepth = 1_000;

/** A number whose text matters: with a fraction, an exponent, or more digits than JavaScript's numbers hold exactly. */
export class NumberLiteral {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Throws InvalidArgument for a whole number that JavaScript would change: silently storing another one would be worse. */
  get value(): number {
    return /^-?[0-9]+$/.test(this.text) ? wholeNumber(this.text) : Number(this.text);
  }
}

/** What a text says: numbers may be NumberLiteral, of a name that is there twice the last value counts. */
export interface ParsedText {
  readonly value: unknown;
  /** Names that an object has more than once, by object. */
  readonly duplicates: ReadonlyMap<object, ReadonlySet<string>>;
}

/**
 * Reads JSON with the rules of Go's encoding/json and its words for what is wrong. Throws InvalidArgument.
 * `depth` bounds how values may be nested.
 */
export function parseJson(text: string, depth = maximumDepth): ParsedText {
  const reader = new JsonReader(text, depth);
  return { value: reader.document(), duplicates: reader.duplicates };
}

/** The value with plain numbers. */
export function plainValue(value: unknown): unknown {
  if (value instanceof NumberLiteral) return value.value;
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  const plain: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) setField(plain, name, plainValue(part));
  return plain;
}

/** Sets a field, also one whose name is special in JavaScript. */
export function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const plainPattern = /[ !#-[\]-\uffff]*/y;
const safeDigits = 15;
/** Beyond it numbers are floating point to Go as well, and written with an exponent. */
const exponentsFrom = 1e21;

class JsonReader {
  readonly duplicates = new Map<object, Set<string>>();
  readonly #text: string;
  readonly #depth: number;
  #nesting = 0;
  #at = 0;

  constructor(text: string, depth: number) {
    this.#text = text;
    this.#depth = depth;
  }

  document(): unknown {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#invalid('after top-level value');
    return value;
  }

  #value(): unknown {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #object(): unknown {
    this.#deeper();
    const object: Record<string, unknown> = {};
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return this.#close(object);
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#invalid('looking for beginning of object key string');
      const name = this.#string();
      this.#space();
      if (!this.#take(':')) throw this.#invalid('after object key');
      this.#space();
      if (Object.hasOwn(object, name)) this.#duplicate(object, name);
      setField(object, name, this.#value());
      this.#space();
      if (this.#take('}')) return this.#close(object);
      if (!this.#take(',')) throw this.#invalid('after object key:value pair');
      this.#space();
    }
  }

  #array(): unknown {
    this.#deeper();
    const items: unknown[] = [];
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return this.#close(items);
    for (;;) {
      items.push(this.#value());
      this.#space();
      if (this.#take(']')) return this.#close(items);
      if (!this.#take(',')) throw this.#invalid('after array element');
      this.#space();
    }
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      plainPattern.lastIndex = this.#at;
      const plain = plainPattern.exec(this.#text)?.[0] ?? '';
      value += plain;
      this.#at += plain.length;
      if (this.#take('"')) return value;
      if (!this.#take('\\')) throw this.#invalid('in string literal');
      value += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at];
    const simple = letter === undefined ? undefined : escapes[letter];
    if (simple !== undefined) {
      this.#at += 1;
      return simple;
    }
    if (letter !== 'u') throw this.#invalid('in string escape code');
    this.#at += 1;
    const first = this.#hex();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    // Half of a pair alone becomes the replacement character, as in Go.
    const back = this.#at;
    if (first > 0xdbff || !this.#text.startsWith('\\u', this.#at)) return '\ufffd';
    this.#at += 2;
    const second = this.#hex();
    if (second >= 0xdc00 && second <= 0xdfff) return String.fromCharCode(first, second);
    this.#at = back;
    return '\ufffd';
  }

  #hex(): number {
    for (let index = 0; index < 4; index += 1, this.#at += 1)
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? '')) throw this.#invalid('in \\u hexadecimal character escape');
    return Number.parseInt(this.#text.slice(this.#at - 4, this.#at), 16);
  }

  #literal<T>(word: string, value: T): T {
    for (let index = 0; index < word.length; index += 1, this.#at += 1)
      if (this.#text[this.#at] !== word[index])
        throw this.#invalid(`in literal ${word} (expecting ${quoteCharacter(word[index] ?? '')})`);
    return value;
  }

  #number(): number | NumberLiteral {
    numberPattern.lastIndex = this.#at;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) {
      const isNumeric = this.#take('-');
      throw this.#invalid(isNumeric ? 'in numeric literal' : 'looking for beginning of value');
    }
    this.#at += text.length;
    if (this.#text[this.#at] === '.' && !/[.eE]/.test(text)) {
      this.#at += 1;
      throw this.#invalid('after decimal point in numeric literal');
    }
    return text.length > safeDigits || /[.eE]/.test(text) ? new NumberLiteral(text) : Number(text);
  }

  #deeper(): void {
    this.#nesting += 1;
    if (this.#nesting > this.#depth) throw syntaxError('exceeded max depth');
  }

  #close<T>(value: T): T {
    this.#nesting -= 1;
    return value;
  }

  #duplicate(object: object, name: string): void {
    const names = this.duplicates.get(object) ?? new Set();
    this.duplicates.set(object, names.add(name));
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #invalid(where: string): StatusError {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return syntaxError('unexpected end of JSON input');
    return syntaxError(`invalid character ${quoteCharacter(String.fromCodePoint(code))} ${where}`);
  }
}

/** The number with these digits. Throws InvalidArgument when it would be written with other ones: beyond 2^53 most would. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) || String(number) === text || Math.abs(number) >= exponentsFrom) return number;
  throw syntaxError(
    `whole numbers beyond ${String(Number.MAX_SAFE_INTEGER)} cannot be kept exactly: ${text.slice(0, 40)}; write it as text where the kind allows it`,
  );
}

/** As Go quotes a character: `'x'`, `'\n'`, `'"'`. */
function quoteCharacter(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

function syntaxError(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
