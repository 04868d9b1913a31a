import { StatusError } from '#base/errors.ts';

/** Reads driver options by a table with a row for each that is honoured. Throws NotSupported for others. */
export function readOptions<T>(
  readers: Readonly<Record<string, (value: string, name: string) => Partial<T>>>,
  options: Readonly<Record<string, string>>,
  defaults: T,
): T {
  let parsed = defaults;
  for (const [name, value] of Object.entries(options)) {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined) {
      const known = Object.keys(readers).join(', ');
      throw new StatusError('NotSupported', `Cannot use network option "${name}": it is not known; known are ${known}`);
    }
    parsed = { ...parsed, ...read(value, name) };
  }
  return parsed;
}

/** The kernel's limit is 15 bytes; blanks, slashes and colons would confuse rules and paths. */
export function isInterfaceName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text);
}

/** 0 stands for none of its own. */
export function mtu(value: string, name: string): number | undefined {
  const [least, most] = [68, 65_535];
  const number = Number(value);
  if (/^\d+$/.test(value) && number === 0) return undefined;
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  throw invalidOption(name, value, `want a number from ${String(least)} to ${String(most)}`);
}

export function invalidOption(name: string, value: string, wanted: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use network option "${name}": its value is "${value}"; ${wanted}`);
}
