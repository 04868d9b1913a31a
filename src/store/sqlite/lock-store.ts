import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { type FileLock, lockFile } from '#sys/file-lock.ts';

/** Takes the store in a folder for this process. Throws Conflict. */
export function lockStore(folder: string): FileLock {
  const lock = lockFile(join(folder, 'lock'));
  if (!('holderPid' in lock)) return lock;
  throw new StatusError(
    'Conflict',
    `Cannot open the store "${folder}": process ${String(lock.holderPid)} has it open; stop that first`,
  );
}
