import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

import { StatusError } from '#base/errors.ts';

import type { Provider } from './encryption-configuration.ts';

const mark = 'k8s:enc:';
const nonceBytes = 12;
const tagBytes = 16;
const blockBytes = 16;
/** Mark, way, version and the longest name of a key. */
const headerBytesMost = 300;

/**
 * A value as it is stored: `k8s:enc:WAY:v1:KEY:` and the encrypted bytes, as kube-apiserver stores it; unchanged for identity.
 * `path` is where the value is kept, so that with aesgcm a value cannot be moved to another place.
 */
export function encryptValue(value: Uint8Array, path: string, [provider]: readonly Provider[]): Uint8Array {
  if (provider === undefined || provider.type === 'identity') return value;
  const [first] = provider.keys;
  if (first === undefined) return value;
  const header = Buffer.from(`${mark}${provider.type}:v1:${first.name}:`, 'utf8');
  const seal = provider.type === 'aesgcm' ? sealGcm : sealCbc;
  return Buffer.concat([header, seal(value, path, first.key)]);
}

/** The value that was stored. Throws Damaged when no key opens it. `isStale`: it is not as it would be stored now. */
export function decryptValue(
  stored: Uint8Array,
  path: string,
  providers: readonly Provider[],
): { readonly value: Uint8Array; readonly isStale: boolean } {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (!bytes.subarray(0, mark.length).equals(Buffer.from(mark, 'latin1'))) {
    if (!providers.some(({ type }) => type === 'identity'))
      throw damaged(path, 'it is not encrypted, and identity is not among its providers');
    return { value: stored, isStale: providers[0]?.type !== 'identity' };
  }
  const start = bytes.subarray(0, headerBytesMost).toString('utf8');
  const [, type = '', name = ''] = /^k8s:enc:([a-z]+):v1:([^:]+):/.exec(start) ?? [];
  const at = Buffer.byteLength(`${mark}${type}:v1:${name}:`);
  for (const [index, provider] of providers.entries()) {
    if (provider.type === 'identity' || provider.type !== type) continue;
    const keyAt = provider.keys.findIndex((one) => one.name === name);
    const key = provider.keys[keyAt]?.key;
    if (key === undefined) continue;
    const open = type === 'aesgcm' ? openGcm : openCbc;
    return { value: open(bytes.subarray(at), path, key), isStale: index > 0 || keyAt > 0 };
  }
  throw damaged(path, `no provider has ${type} key ${JSON.stringify(name)}`);
}

function sealGcm(value: Uint8Array, path: string, key: KeyObject): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(`aes-${sizeOf(key)}-gcm`, key, nonce).setAAD(Buffer.from(path, 'utf8'));
  const sealed = [cipher.update(value), cipher.final()];
  return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]);
}

function openGcm(bytes: Buffer, path: string, key: KeyObject): Buffer {
  if (bytes.length < nonceBytes + tagBytes) throw damaged(path, 'it is cut off');
  const end = bytes.length - tagBytes;
  const decipher = createDecipheriv(`aes-${sizeOf(key)}-gcm`, key, bytes.subarray(0, nonceBytes));
  decipher.setAAD(Buffer.from(path, 'utf8')).setAuthTag(bytes.subarray(end));
  return finish(path, () => Buffer.concat([decipher.update(bytes.subarray(nonceBytes, end)), decipher.final()]));
}

function sealCbc(value: Uint8Array, _path: string, key: KeyObject): Buffer {
  const vector = randomBytes(blockBytes);
  const cipher = createCipheriv(`aes-${sizeOf(key)}-cbc`, key, vector);
  return Buffer.concat([vector, cipher.update(value), cipher.final()]);
}

function openCbc(bytes: Buffer, path: string, key: KeyObject): Buffer {
  if (bytes.length < 2 * blockBytes) throw damaged(path, 'it is cut off');
  const decipher = createDecipheriv(`aes-${sizeOf(key)}-cbc`, key, bytes.subarray(0, blockBytes));
  return finish(path, () => Buffer.concat([decipher.update(bytes.subarray(blockBytes)), decipher.final()]));
}

function finish(path: string, open: () => Buffer): Buffer {
  try {
    return open();
  } catch (cause) {
    throw damaged(path, 'its key does not open it', cause);
  }
}

function sizeOf(key: KeyObject): '128' | '192' | '256' {
  return String((key.symmetricKeySize ?? 32) * 8) as '128' | '192' | '256';
}

function damaged(path: string, state: string, cause?: unknown): StatusError {
  const way = 'put the key that it was written with back into the encryption configuration';
  return new StatusError('Damaged', `Cannot decrypt value "${path}": ${state}; ${way}`, { cause });
}
