import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { ConcurrencyLimit } from '#base/limit.ts';
import { hasPasswordHash } from '#sys/password-hash.ts';

import { RegistryError } from '../registry-error.ts';

const fileBytesMost = 1024 * 1024;
/** Passwords that were right lately; what they were checked against is part of the key. */
const rememberedMost = 256;

/**
 * Who may use the registry, by an htpasswd file that is read anew for each request: `name:hash` lines with hashes of
 * crypt(5), such as `htpasswd -B` writes.
 */
export class Htpasswd {
  readonly #path: string;
  /** Hashes are slow on purpose: one at a time, or guessing would take the machine. */
  readonly #checks = new ConcurrencyLimit(1);
  readonly #right = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws RegistryError UNAUTHORIZED unless the header (RFC 7617) names a user and the right password. */
  async require(authorization: string | undefined, signal: AbortSignal): Promise<void> {
    const [, encoded = ''] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
    const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    const password = rest.join(':');
    const users = await this.#users();
    const hash = users.get(name);
    if (name === '' || hash === undefined) throw refused();
    const key = createHash('sha256').update(`${name}\0${hash}\0${password}`).digest('hex');
    if (this.#right.has(key)) return;
    if (!(await this.#checks.run(() => hasPasswordHash(password, hash), signal))) throw refused();
    const [oldest] = this.#right;
    if (oldest !== undefined && this.#right.size >= rememberedMost) this.#right.delete(oldest);
    this.#right.add(key);
  }

  async #users(): Promise<ReadonlyMap<string, string>> {
    const text = (await readFile(this.#path, 'utf8')).slice(0, fileBytesMost);
    const lines = text.split('\n').map((line) => line.trim());
    const pairs = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(':'));
    return new Map(pairs.map(([name = '', hash = '']) => [name, hash]));
  }
}

function refused(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'log in with a name and password of this registry');
}
