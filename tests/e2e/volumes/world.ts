import type { TestContext } from 'node:test';

import { reasonOf } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import { openVolumes } from '#engine/volumes/open-volumes.ts';
import type { Volumes } from '#engine/volumes/volumes.ts';
import { unmountTree } from '#sys/mounts.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { makeRoot } from '../../kit/temp-root.ts';

export const never = new AbortController().signal;

export async function open(dataDir: string): Promise<Volumes & AsyncDisposable> {
  return openVolumes({ dataDir, events: createEventLog(), logger: silentLogger });
}

/** A folder that goes with the test, and what is mounted below it. */
export function folder(t: TestContext): string {
  const path = makeRoot();
  t.after(async () => {
    unmountTree(path);
    await removeTree(path);
  });
  return path;
}

export async function reason(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => reasonOf(error),
  );
}
