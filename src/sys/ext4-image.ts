import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

import { StatusError } from '#base/errors.ts';

const run = promisify(execFile);
const folders = ['/usr/sbin', '/sbin'];
/** Nothing is kept back for root, and tables are written when they are needed, so that the file stays sparse. */
const makeOptions = ['-q', '-F', '-m', '0', '-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1'];

/**
 * Makes an empty ext4 in a file of the wanted size. No system call does this, nor what `fitExt4` does, so this is the one
 * place that starts programs of e2fsprogs. Throws Unavailable when they are not installed.
 */
export async function makeExt4(file: string): Promise<void> {
  await run(program('mkfs.ext4'), [...makeOptions, file], { env: {} });
}

/** Makes an ext4 as large as its file, which has grown. Nothing may have it mounted. */
export async function fitExt4(file: string): Promise<void> {
  try {
    await run(program('e2fsck'), ['-f', '-p', file], { env: {} });
  } catch (error) {
    // 1: errors were corrected (e2fsck(8)).
    if (!(error instanceof Error) || !('code' in error) || error.code !== 1) throw error;
  }
  await run(program('resize2fs'), [file], { env: {} });
}

function program(name: string): string {
  const found = folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new StatusError(
    'Unavailable',
    `Cannot make a volume with a size: ${name} is not installed; install the package e2fsprogs`,
  );
}
