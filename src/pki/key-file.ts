import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { StatusError } from '#base/errors.ts';
import { writeDurably } from '#sys/durable-file.ts';
import { hasCode } from '#sys/errno.ts';

/** The private key in a file; a new one on EC P-256, written there durably with mode 0600, when there is none. */
export async function openKeyFile(path: string): Promise<KeyObject> {
  const text = await readText(path);
  if (text !== undefined) return parseKey(path, text);
  const key = newKey();
  await writeDurably(path, keyPem(key), 0o600);
  return key;
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** SEC 1 as `openssl ecparam` and kubeadm write it for EC keys; PKCS#8 for others. */
export function keyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8' }).toString();
}

/** The text of a file; undefined when there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseKey(path: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const way = 'restore it from a backup; without it nothing that it signed can be renewed';
    throw new StatusError('Damaged', `Cannot read private key "${path}": it is no key in PEM; ${way}`, { cause });
  }
}
