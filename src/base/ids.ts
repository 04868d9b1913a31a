import { randomBytes } from 'node:crypto';

/** A new 256-bit identifier: 64 lower-case hexadecimal digits, as Docker's containers, networks and execs have. */
export function newId(): string {
  return randomBytes(32).toString('hex');
}

/** The first 12 digits of an identifier, with any `sha256:` before it removed. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** A random integer from 0 to `limit - 1`. */
export function randomBelow(limit: number): number {
  return randomBytes(6).readUIntBE(0, 6) % limit;
}
