import { syntaxError } from './syntax-tree.ts';

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const codePointMost = 0x10_ff_ff;

/** The character that a backslash at `start` and what follows stand for. Throws InvalidArgument in Go's words. */
export function readEscape(text: string, start: number): { readonly codePoint: number; readonly end: number } {
  const letter = text[start + 1];
  if (letter === undefined) throw syntaxError('trailing backslash at end of expression', '');
  const rest = text.slice(start + 1, start + 16);
  const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest)?.[0];
  if (octal !== undefined) return { codePoint: Number.parseInt(octal, 8), end: start + 1 + octal.length };
  const [hex, long, short = ''] = /^x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(rest) ?? [];
  if (hex !== undefined) {
    const codePoint = Number.parseInt(long ?? short, 16);
    if (codePoint <= codePointMost) return { codePoint, end: start + 1 + hex.length };
  }
  const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined;
  if (control !== undefined) return { codePoint: control, end: start + 2 };
  const codePoint = text.codePointAt(start + 1) ?? 0;
  if (codePoint < 0x80 && !/[0-9A-Za-z]/.test(letter)) return { codePoint, end: start + 2 };
  throw syntaxError('invalid escape sequence', `\\${String.fromCodePoint(codePoint)}`);
}
