import { StatusError } from '#base/errors.ts';

const defaultKeys = 'ctrl-p,ctrl-q';
const controlSymbols: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** Reads `ctrl-p,ctrl-q`, `a,ctrl-]`; '' means the default. Throws InvalidArgument in Docker's words. */
export function parseDetachKeys(text: string): Uint8Array {
  const keys = (text === '' ? defaultKeys : text).split(',').map((key) => {
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase() ?? '';
    const code = /^[a-z]$/.test(control) ? control.charCodeAt(0) - 96 : controlSymbols[control];
    if (code === undefined) throw new StatusError('InvalidArgument', `Invalid detach keys (${text}) provided`);
    return code;
  });
  return Uint8Array.from(keys);
}

/**
 * Passes a terminal's input on until the detach keys come; then the iteration ends. What could be their beginning is held
 * back until it is clear.
 */
export async function* untilDetached(
  input: AsyncIterable<Uint8Array>,
  keys: Uint8Array,
  onDetach: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let matched = 0;
  for await (const chunk of input) {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== keys[matched]) {
        passed.push(...keys.subarray(0, matched));
        matched = 0;
      }
      if (byte === keys[matched]) matched += 1;
      else passed.push(byte);
      if (matched < keys.length) continue;
      if (passed.length > 0) yield Uint8Array.from(passed);
      onDetach();
      return;
    }
    if (passed.length > 0) yield Uint8Array.from(passed);
  }
  if (matched > 0) yield keys.slice(0, matched);
}
