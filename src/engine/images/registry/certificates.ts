import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

/** What one host is trusted by besides the system's authorities, and what it is shown. */
export interface HostCertificates {
  /** Tells different contents apart. */
  readonly id: string;
  /** PEM, as the following. */
  readonly authorities: readonly string[];
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

const filesMost = 64;

/**
 * Reads the folder of a host in the way that Docker's clients know (`certs.d/<host[:port]>/`): `*.crt` are authorities,
 * `NAME.cert` with `NAME.key` is what we show. Undefined when there is no folder. Read anew for each operation, so that a
 * renewed certificate needs no restart. Throws InvalidArgument for a pair that is not whole.
 */
export async function readHostCertificates(folder: string, host: string): Promise<HostCertificates | undefined> {
  if (host.startsWith('.') || host.includes('/')) return undefined;
  const path = join(folder, host);
  let names: readonly string[];
  try {
    names = (await readdir(path)).toSorted().slice(0, filesMost);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const hash = createHash('sha256');
  const read = async (name: string): Promise<string> => {
    const text = await readFile(join(path, name), 'utf8');
    hash.update(text);
    return text;
  };
  const [authorities, certificates, keys]: string[][] = [[], [], []];
  for (const name of names) {
    if (name.endsWith('.crt')) authorities?.push(await read(name));
    if (!name.endsWith('.cert')) continue;
    const key = name.replace(/cert$/, 'key');
    if (!names.includes(key)) throw missing(path, name, key);
    certificates?.push(await read(name));
    keys?.push(await read(key));
  }
  const all = { authorities: authorities ?? [], certificates: certificates ?? [], keys: keys ?? [] };
  return { ...all, id: hash.digest('hex') };
}

function missing(path: string, name: string, key: string): StatusError {
  return new StatusError(
    'InvalidArgument',
    `Cannot use ${join(path, name)}: its key ${key} is missing; authorities have the extension .crt`,
  );
}
