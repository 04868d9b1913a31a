import { StatusError } from '#base/errors.ts';
import { invalid } from './invalid.ts';
import type { EscapeCharacter } from './dockerfile.ts';
import { isSpace } from './split-words.ts';
import { compileWildcard } from './wildcard.ts';

export type Variables = ReadonlyMap<string, string>;

export interface ExpandOptions {
  readonly escape?: EscapeCharacter;
  /** Quotes are ordinary characters: for inline files. */
  readonly literalQuotes?: boolean;
  /** Told of each variable that is used plainly and has no value, not even an empty one. */
  readonly onUndefined?: (name: string) => void;
}

/** Characters that one expansion may grow to: variables that hold themselves twice grow without end. */
const maxLength = 1024 * 1024;
const maxDepth = 50;

/**
 * Expands variables in a word, and removes its quotes and escapes, with the modifiers of the Dockerfile reference
 * ("Environment replacement"): `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`. Throws InvalidArgument.
 */
export function expandWord(word: string, variables: Variables, options: ExpandOptions = {}): string {
  return new Expansion(word, variables, options).run().text;
}

/** Like expandWord, then split at white space that was not quoted. */
export function expandWords(word: string, variables: Variables, options: ExpandOptions = {}): readonly string[] {
  return new Expansion(word, variables, options).run().words;
}

/** Collects the text, and in parallel the words that it falls into. */
class Output {
  text = '';
  readonly words: string[] = [];
  #word: string | undefined;

  /** Text that was quoted or escaped: never a boundary between words. */
  quoted(text: string): void {
    this.#grow(text);
    this.#word = (this.#word ?? '') + text;
  }

  plain(text: string): void {
    this.#grow(text);
    for (const character of text) {
      if (!isSpace(character)) this.#word = (this.#word ?? '') + character;
      else this.end();
    }
  }

  end(): void {
    if (this.#word !== undefined && this.#word !== '') this.words.push(this.#word);
    this.#word = undefined;
  }

  #grow(text: string): void {
    if (this.text.length + text.length > maxLength)
      throw new StatusError('TooLarge', `the expanded value is longer than ${String(maxLength)} characters`);
    this.text += text;
  }
}

class Expansion {
  readonly #word: string;
  readonly #variables: Variables;
  readonly #escape: string;
  readonly #literalQuotes: boolean;
  readonly #onUndefined: (name: string) => void;
  #at = 0;
  #depth = 0;

  constructor(word: string, variables: Variables, options: ExpandOptions) {
    this.#word = word;
    this.#variables = variables;
    this.#escape = options.escape ?? '\\';
    this.#literalQuotes = options.literalQuotes ?? false;
    this.#onUndefined = options.onUndefined ?? (() => {});
  }

  run(): Output {
    try {
      return this.#until('', false);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const shown = this.#word.length > 200 ? `${this.#word.slice(0, 200)}...` : this.#word;
      throw new StatusError(error.reason, `failed to process ${JSON.stringify(shown)}: ${error.message}`, {
        cause: error,
      });
    }
  }

  get #next(): string {
    return this.#word.charAt(this.#at);
  }

  #take(): string {
    const character = this.#next;
    this.#at += 1;
    return character;
  }

  /** Reads up to the stop character and over it; '' = to the end. */
  #until(stop: string, keepEscapes: boolean): Output {
    const output = new Output();
    this.#depth += 1;
    if (this.#depth > maxDepth) throw invalid(`substitutions are nested more than ${String(maxDepth)} deep`);
    while (this.#at < this.#word.length) {
      const character = this.#next;
      if (stop !== '' && character === stop) {
        this.#at += 1;
        this.#depth -= 1;
        output.end();
        return output;
      }
      this.#step(character, output, keepEscapes);
    }
    if (stop !== '')
      throw invalid(stop === '}' ? `syntax error: missing '}'` : `syntax error: missing '${stop}' in \${}`);
    output.end();
    return output;
  }

  #step(character: string, output: Output, keepEscapes: boolean): void {
    if (character === '$') output.plain(this.#dollar());
    else if (character === "'" && !this.#literalQuotes) output.quoted(this.#singleQuoted());
    else if (character === '"' && !this.#literalQuotes) output.quoted(this.#doubleQuoted());
    else if (character === this.#escape) this.#escaped(output, keepEscapes);
    else output.plain(this.#take());
  }

  #escaped(output: Output, keepEscapes: boolean): void {
    const escape = this.#take();
    const character = this.#take();
    output.quoted(keepEscapes ? escape + character : character);
  }

  #singleQuoted(): string {
    this.#at += 1;
    const end = this.#word.indexOf("'", this.#at);
    if (end === -1) throw invalid('unexpected end of statement while looking for matching single-quote');
    const text = this.#word.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** Within double quotes an escape counts only before `"`, `$` and itself. */
  #doubleQuoted(): string {
    this.#at += 1;
    const output = new Output();
    while (this.#at < this.#word.length) {
      const character = this.#next;
      if (character === '$') {
        output.quoted(this.#dollar());
        continue;
      }
      this.#at += 1;
      if (character === '"') return output.text;
      if (character === this.#escape && ['"', '$', this.#escape].includes(this.#next)) output.quoted(this.#take());
      else output.quoted(character);
    }
    throw invalid('unexpected end of statement while looking for matching double-quote');
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#next !== '{') {
      const name = this.#name();
      return name === '' ? '$' : this.#plain(name);
    }
    this.#at += 1;
    if (this.#at >= this.#word.length) throw invalid(`syntax error: missing '}'`);
    if ('{}:'.includes(this.#next)) throw invalid('syntax error: bad substitution');
    const name = this.#name();
    const modifier = this.#take();
    if (modifier === '}') return this.#plain(name);
    if (modifier === '/') return this.#replace(name);
    if (modifier === '#' || modifier === '%') return this.#trim(name, modifier);
    if (modifier === ':') return this.#choose(name, this.#take(), true);
    return this.#choose(name, modifier, false);
  }

  #plain(name: string): string {
    const value = this.#variables.get(name);
    if (value === undefined) this.#onUndefined(name);
    return value ?? '';
  }

  /** A name, a number, or one of the shell's special parameters, which are never set here. */
  #name(): string {
    const pattern = /[0-9]+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*/uy;
    pattern.lastIndex = this.#at;
    const name = pattern.exec(this.#word)?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #choose(name: string, modifier: string, emptyIsUnset: boolean): string {
    const shown = (emptyIsUnset ? ':' : '') + modifier;
    if (modifier === '' || !'-+?'.includes(modifier))
      throw invalid(modifier === '' ? `syntax error: missing '}'` : `unsupported modifier (${shown}) in substitution`);
    const { text } = this.#until('}', false);
    const value = this.#variables.get(name);
    const isSet = value !== undefined && !(emptyIsUnset && value === '');
    if (modifier === '-') return isSet ? value : text;
    if (modifier === '+') return isSet ? text : '';
    if (isSet) return value;
    throw invalid(`${name}: ${text === '' ? `is not allowed to be ${value === undefined ? 'unset' : 'empty'}` : text}`);
  }

  #trim(name: string, modifier: '#' | '%'): string {
    const longest = this.#next === modifier;
    if (longest) this.#at += 1;
    const pattern = compileWildcard(this.#until('}', true).text);
    const value = this.#variables.get(name) ?? '';
    if (modifier === '#') return value.slice(pattern.prefixLength(value, longest) ?? 0);
    return value.slice(0, value.length - (pattern.suffixLength(value, longest) ?? 0));
  }

  #replace(name: string): string {
    const all = this.#next === '/';
    if (all) this.#at += 1;
    const pattern = compileWildcard(this.#until('/', true).text);
    const { text } = this.#until('}', false);
    return pattern.replace(this.#variables.get(name) ?? '', text, all);
  }
}
