import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { newId, shortId } from '#base/ids.ts';

/** A new folder for the files of one operation; disposing deletes it with all that is in it. */
export async function openScratchFolder(below: string): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = join(below, shortId(newId()));
  await mkdir(path, { mode: 0o700 });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
