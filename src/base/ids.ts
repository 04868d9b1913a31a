import { randomBytes, randomInt } from 'node:crypto';

/**
 * A new 256-bit identifier: 64 lower-case hexadecimal digits, as Docker's containers, networks and execs have. Its short
 * form has a letter: it becomes a hostname, and one of digits alone is taken for an address.
 */
export function newId(): string {
  const id = randomBytes(32).toString('hex');
  return /^\d{12}/.test(id) ? newId() : id;
}

/** The first 12 digits of an identifier, with any `sha256:` before it removed. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** A random integer from 0 to `limit - 1`. */
export function randomBelow(limit: number): number {
  // Node draws chance for these some at a time: each call into the system's source costs as much as a hundred of them.
  return randomInt(limit);
}
