import { constants } from 'node:os';

import koffi from 'koffi';

import { SystemError } from './errno.ts';

type Foreign = (...args: readonly unknown[]) => number;

const libc = koffi.load('libc.so.6');

/**
 * A function of libc by its C prototype, which returns -1 and sets errno when it fails. The wrapper throws a
 * SystemError then; `subject` says what it was about. Calls are synchronous: nothing may be awaited between calls that
 * change the thread (setns, unshare, chdir).
 */
export function systemCall(prototype: string): (subject: string, ...args: readonly unknown[]) => number {
  const native = libc.func(prototype) as Foreign;
  const name = /(\w+)\s*\(/.exec(prototype)?.[1] ?? prototype;
  return (subject, ...args) => {
    const result = native(...args);
    if (result === -1) throw new SystemError(name, koffi.errno(), subject);
    return result;
  };
}

/**
 * Like `systemCall`, on a thread of libuv's pool, for calls that wait for the disk. A failure has no errno (it belongs to
 * the other thread) and counts as EIO.
 */
export function asyncSystemCall(prototype: string): (subject: string, ...args: readonly unknown[]) => Promise<number> {
  const native = libc.func(prototype);
  const name = /(\w+)\s*\(/.exec(prototype)?.[1] ?? prototype;
  return (subject, ...args) =>
    new Promise((resolve, reject) => {
      native.async(...args, (failure: unknown, result: number) => {
        if (failure !== null && failure !== undefined) reject(failure);
        else if (result === -1) reject(new SystemError(name, constants.errno.EIO, subject));
        else resolve(result);
      });
    });
}
