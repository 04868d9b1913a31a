import { execFile } from 'node:child_process';

import { StatusError } from '#base/errors.ts';

import type { Room } from './room.ts';

/** A call of the runtime takes milliseconds; one that takes this long hangs. */
const timeoutMs = 30_000;

/** Runs runc with arguments, such as `pause <id>`; throws Internal with its words when it fails. */
export async function runRuntime(
  room: Pick<Room, 'runc' | 'paths'>,
  args: readonly string[],
  input = '',
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const all = ['--root', room.paths.runtimeRoot, ...args];
  const child = execFile(room.runc.path, all, { timeout: timeoutMs }, (error, _, stderr) => {
    if (error === null) resolve();
    else
      reject(
        new StatusError('Internal', `runc ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }),
      );
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  await promise;
}
