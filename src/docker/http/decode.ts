import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

/** Turns a parsed JSON value into a `T`, or throws InvalidArgument naming `path`. */
export type Decoder<T> = (value: unknown, path: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

type Fields = Readonly<Record<string, Decoder<unknown>>>;
/** Every field of a request may be missing or null, as in Go, where both leave the zero value. */
export type Partially<F extends Fields> = { readonly [K in keyof F]?: Decoded<F[K]> };

export const text: Decoder<string> = (value, path) =>
  typeof value === 'string' ? value : wrongType(path, 'a string', value);

export const flag: Decoder<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrongType(path, 'true or false', value);

const int64Limit = 2 ** 63;

/** A 64-bit integer; what a double cannot hold exactly is clamped to the nearest safe integer ("unlimited" values). */
export const integer: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(path, 'an integer', value);
  if (Math.abs(value) > int64Limit) return wrongType(path, 'a 64-bit integer', value);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
};

/** Accepts anything, for fields that are echoed or ignored as upstream does. */
export const anything: Decoder<unknown> = (value) => value;

/** Go's `struct{}` as the value of a set: any object, read as empty. */
export const emptyObject: Decoder<object> = (value, path) =>
  isObject(value) ? {} : wrongType(path, 'an object', value);

export function listOf<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, 'a list', value);
    return value.map((entry: unknown, index) => item(entry, `${path}[${String(index)}]`));
  };
}

/** A list where null entries (Go's nil pointers) are left out. */
export function sparseListOf<T>(item: Decoder<T>): Decoder<readonly T[]> {
  const list = listOf((value, path) => (value === null ? undefined : item(value, path)));
  return (value, path) => list(value, path).filter((entry) => entry !== undefined);
}

/** A command as Docker takes it: one string or a list of strings. */
export const textOrList: Decoder<readonly string[]> = (value, path) =>
  typeof value === 'string' ? [value] : listOf(text)(value, path);

/** An object with free keys. Null values are given to `item` as `absent` when that is set, else refused by `item`. */
export function mapOf<T>(item: Decoder<T>, absent?: T): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object', value);
    // fromEntries defines own properties, so that a key "__proto__" stays a key.
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => {
        const missing = entry === null && absent !== undefined;
        return [key, missing ? absent : item(entry, `${path}[${key}]`)];
      }),
    );
  };
}

/**
 * An object with known fields, matched as Go's encoding/json matches them: exactly, else without regard to case.
 * Unknown fields are ignored, missing and null ones left out.
 */
export function objectOf<F extends Fields>(fields: F): Decoder<Partially<F>> {
  const byLowerCase = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  return (value, path) => {
    if (!isObject(value)) return wrongType(path, 'an object', value);
    const found = new Map<string, unknown>();
    for (const [key, entry] of Object.entries(value)) {
      const name = Object.hasOwn(fields, key) ? key : byLowerCase.get(key.toLowerCase());
      if (name === undefined || entry === null || entry === undefined) continue;
      const decode = fields[name];
      if (decode !== undefined) found.set(name, decode(entry, path === '' ? name : `${path}.${name}`));
    }
    return Object.fromEntries(found) as Partially<F>;
  };
}

/** Parses a request body and decodes it. */
export function decodeJson<T>(bytes: Uint8Array, decoder: Decoder<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StatusError('InvalidArgument', 'Cannot read the request body: it is not valid JSON', { cause: error });
  }
  return decoder(value, '');
}

function wrongType(path: string, want: string, value: unknown): never {
  const where = path === '' ? 'the request body' : path;
  const message = `want ${want}, have ${describe(value)}`;
  throw new StatusError('InvalidArgument', `Cannot read ${where}: ${message}`, { problems: [{ path, message }] });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return `the number ${String(value)}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
