import koffi from 'koffi';

import { SystemError } from './errno.ts';

export type Foreign = (...args: readonly unknown[]) => number;

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
