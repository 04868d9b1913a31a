import type { EscapeCharacter } from './dockerfile.ts';

/** Go's unicode.IsSpace for the characters that a Dockerfile can hold. */
const space = /\s/;

export function isSpace(character: string): boolean {
  return space.test(character);
}

/**
 * Splits a line into words at white space that is not quoted or escaped. Quotes and escapes stay in the words; an open
 * quote ends with the line.
 */
export function splitWords(text: string, escape: EscapeCharacter): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && isSpace(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (character === escape && quote !== "'") {
      at += 1;
      if (at < text.length) word += character + text.charAt(at);
      continue;
    }
    if (quote === '') quote = character === '"' || character === "'" ? character : '';
    else if (character === quote) quote = '';
    word += character;
  }
  if (word !== undefined && word !== '') words.push(word);
  return words;
}

/** Splits at runs of white space, whatever is quoted. */
export function splitBlank(text: string): string[] {
  return text.split(/[\t\v\f\r\n ]+/).filter((word) => word !== '');
}

/** Takes the `--flag=value` words off the front of an instruction's arguments; `--` ends them. */
export function splitFlags(text: string): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text.charAt(at))) at += 1;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at).trim() };
    const { word, end } = readFlag(text, at);
    at = end;
    if (word === '--') return { flags, rest: text.slice(at).trim() };
    flags.push(word);
  }
}

/** A flag's word with quotes removed and escapes undone. */
function readFlag(text: string, start: number): { readonly word: string; readonly end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && isSpace(character)) break;
    if (character === '\\') {
      at += 1;
      word += text.charAt(at);
    } else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    else word += character;
  }
  return { word, end: at };
}

/**
 * The strings of a JSON array; undefined when the text is no JSON array, so that it is meant as plain words;
 * `not-strings` when it is one but holds something else than strings.
 */
export function parseJsonWords(text: string): readonly string[] | undefined | 'not-strings' {
  if (!text.trimStart().startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  return parsed.every((item) => typeof item === 'string') ? parsed : 'not-strings';
}
