import { execFile } from 'node:child_process';

import { StatusError } from '#base/errors.ts';

import { type ContainerRecord, runtimeOf } from './record.ts';
import type { Room } from './room.ts';

/** A call of the runtime takes milliseconds; one that takes this long hangs. */
const timeoutMs = 30_000;

/**
 * Runs the runtime of a container that runs with a command and its options, such as `pause`; throws Internal with its words
 * when it fails.
 */
export async function runRuntime(
  room: Pick<Room, 'runtimes'>,
  record: ContainerRecord,
  command: readonly string[],
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const runtime = room.runtimes.get(runtimeOf(record));
  const all = ['--root', runtime.root, ...command, record.id];
  execFile(runtime.program.path, all, { timeout: timeoutMs }, (error, _, stderr) => {
    if (error === null) resolve();
    else
      reject(
        new StatusError('Internal', `${runtime.name} ${command.join(' ')}: ${stderr.trim() || error.message}`, {
          cause: error,
        }),
      );
  });
  await promise;
}
