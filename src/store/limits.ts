import { StatusError } from '#base/errors.ts';

/** Bytes of a value; below etcd's limit of 1.5 MiB for a request, so that all drivers take the same. */
const valueBytesMost = 1_500_000;
/** Bytes of a key. */
const keyBytesMost = 2048;

/** Throws InvalidArgument, TooLarge for what no driver stores. */
export function checkWrite(key: string, value: Uint8Array): void {
  if (key === '' || !key.isWellFormed() || key.includes('\0'))
    throw new StatusError(
      'InvalidArgument',
      `Cannot store a value under the key ${JSON.stringify(key)}: want text that is not empty, without NUL and lone surrogates`,
    );
  if (Buffer.byteLength(key) > keyBytesMost)
    throw new StatusError(
      'InvalidArgument',
      `Cannot store a value under a key of more than ${String(keyBytesMost)} bytes`,
    );
  if (value.length > valueBytesMost)
    throw new StatusError(
      'TooLarge',
      `Cannot store "${key}": it has ${String(value.length)} bytes, at most ${String(valueBytesMost)} are stored; make it smaller`,
    );
}

/** Throws InvalidArgument for what is no time to live. */
export function checkTtl(ttlSeconds: number | undefined): void {
  if (ttlSeconds === undefined || (Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0)) return;
  throw new StatusError(
    'InvalidArgument',
    `Cannot keep a value for ${String(ttlSeconds)} s: want a whole number from 1`,
  );
}

/** Throws InvalidArgument for a removal of what should not be there. */
export function checkRemove(key: string, expected: bigint): void {
  if (expected > 0n) return;
  throw new StatusError('InvalidArgument', `Cannot remove "${key}": revision 0 stands for a key that is not there`);
}
