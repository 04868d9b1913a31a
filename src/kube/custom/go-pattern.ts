import { setFlagsFromString } from 'node:v8';

/**
 * A pattern of Go's regexp package (RE2) for JavaScript; undefined: it is none that we can read. A search that goes back and
 * forth too often is finished by V8's engine of linear time, as RE2 has it for all.
 */
export function goRegExp(pattern: string): RegExp | undefined {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  const text = translate(pattern);
  // The linear engine knows no Unicode mode: it is used only where the pattern needs it.
  const flags = /\\p\{|\\P\{|\\x\{|\\u\{/.test(text) ? 'u' : '';
  try {
    return new RegExp(text, flags);
  } catch {
    return undefined;
  }
}

function translate(pattern: string): string {
  return pattern
    .replaceAll('(?P<', '(?<')
    .replaceAll(String.raw`\A`, '^')
    .replaceAll(String.raw`\z`, '$')
    .replaceAll(String.raw`\x{`, String.raw`\u{`)
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole);
}

/** Inside of brackets. */
const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: '0-9A-Za-z',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\s`,
  word: String.raw`\w`,
  xdigit: '0-9A-Fa-f',
};
