import {
  characterSet,
  perlClasses,
  posixClasses,
  rangeText,
  unicodeRanges,
  type CharacterSet,
  type SetPart,
} from './character-set.ts';
import { readEscape } from './read-escape.ts';
import { syntaxError } from './syntax-tree.ts';

/** The class in brackets that begins at `start`. Throws InvalidArgument in Go's words. */
export function readBrackets(
  text: string,
  start: number,
  folds: boolean,
): { readonly set: CharacterSet; readonly end: number } {
  const missing = (): Error => syntaxError('missing closing ]', text.slice(start));
  let at = start + 1;
  const isNegated = text[at] === '^';
  if (isNegated) at += 1;
  const parts: SetPart[] = [];
  let single = '';
  for (let isFirst = true; text[at] !== ']' || isFirst; isFirst = false) {
    if (at >= text.length) throw missing();
    const named = namedClass(text, at);
    if (named !== undefined) {
      parts.push(named.part);
      at = named.end;
      continue;
    }
    const low = readOne(text, at, missing);
    let high = low;
    if (text[low.end] === '-' && low.end + 1 < text.length && text[low.end + 1] !== ']') {
      high = readOne(text, low.end + 1, missing);
      if (high.codePoint < low.codePoint) throw syntaxError('invalid character class range', text.slice(at, high.end));
    }
    single += rangeText(low.codePoint, high.codePoint);
    at = high.end;
  }
  if (single !== '') parts.push({ ranges: single, isNegated: false });
  return { set: characterSet(parts, isNegated, folds), end: at + 1 };
}

/** `\pL`, `\p{Greek}`, `\P{^Lu}`. Throws InvalidArgument. */
export function readUnicodeClass(text: string, start: number): { readonly part: SetPart; readonly end: number } {
  const found = /^\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/u.exec(text.slice(start));
  if (found === null) throw syntaxError('invalid character class range', text.slice(start));
  const [whole, letter, caret = '', long, short = ''] = found;
  const ranges = unicodeRanges(long ?? short);
  if (ranges === undefined) throw syntaxError('invalid character class range', whole);
  return { part: { ranges, isNegated: (letter === 'P') !== (caret === '^') }, end: start + whole.length };
}

function namedClass(text: string, at: number): { readonly part: SetPart; readonly end: number } | undefined {
  if (text.startsWith('[:', at)) {
    const end = text.indexOf(':]', at + 2);
    if (end < 0) return undefined;
    const [caret, name] = text[at + 2] === '^' ? [true, text.slice(at + 3, end)] : [false, text.slice(at + 2, end)];
    const ranges = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined;
    if (ranges === undefined) throw syntaxError('invalid character class range', text.slice(at, end + 2));
    return { part: { ranges, isNegated: caret }, end: end + 2 };
  }
  if (text[at] !== '\\') return undefined;
  const letter = text[at + 1] ?? '';
  if (letter === 'p' || letter === 'P') return readUnicodeClass(text, at);
  const part = Object.hasOwn(perlClasses, letter) ? perlClasses[letter] : undefined;
  return part === undefined ? undefined : { part, end: at + 2 };
}

function readOne(text: string, at: number, missing: () => Error): { readonly codePoint: number; readonly end: number } {
  const codePoint = text.codePointAt(at);
  if (codePoint === undefined) throw missing();
  if (text[at] === '\\') return readEscape(text, at);
  return { codePoint, end: at + (codePoint > 0xffff ? 2 : 1) };
}
