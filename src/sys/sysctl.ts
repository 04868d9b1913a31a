import { readFileSync, writeFileSync } from 'node:fs';

import { hasCode } from './errno.ts';

/**
 * A kernel parameter by its path below /proc/sys, such as `net/ipv4/ip_forward`; those below `net` are the ones of the
 * thread's network namespace, which is why this is synchronous. Undefined when the kernel has none such.
 */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Returns false when the kernel has none such. */
export function writeSysctl(path: string, value: string): boolean {
  try {
    // Without O_CREAT: procfs refuses to make files.
    writeFileSync(`/proc/sys/${path}`, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
