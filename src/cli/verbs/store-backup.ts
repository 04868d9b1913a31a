import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { backupStore } from '#store/sqlite/backup-store.ts';

import type { Verb } from '../verb.ts';
import { storeFolder } from './store-folder.ts';

export const storeBackup: Verb = {
  usage: 'FILE',
  description:
    'Writes the store in which the Kubernetes API keeps its objects to a file, as it is at one moment: a SQLite database,\n' +
    'compressed when FILE ends with .zst. The daemon goes on meanwhile. The copy is checked; the file is there when it is\n' +
    'whole. Secrets are in it as they are in the store.',
  options: {},
  operandsMost: 1,
  needsRoot: true,
  run: async ({ paths, env, operands, output, signal }) => {
    const folder = await storeFolder(paths, env, 'back up');
    const [file = ''] = operands;
    if (file === '') throw new StatusError('InvalidArgument', 'Cannot back up: write slipway store backup FILE');
    const partial = `${resolve(file)}.${newId().slice(0, 12)}.partial`;
    try {
      const { entries, revision } = backupStore(folder, `${partial}.db`);
      const compressor = file.endsWith('.zst') ? createZstdCompress() : new PassThrough();
      await pipeline(
        createReadStream(`${partial}.db`),
        compressor,
        createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }),
        { signal },
      );
      await rename(partial, file);
      output.line(`${file}  ${String(entries)} keys at revision ${String(revision)}`);
      return 0;
    } finally {
      for (const path of [partial, `${partial}.db`, `${partial}.db-journal`]) await rm(path, { force: true });
    }
  },
};
