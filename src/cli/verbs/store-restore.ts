import { createReadStream } from 'node:fs';
import { StatusError } from '#base/errors.ts';
import { decompress } from '#engine/stream/decompress.ts';
import { restoreStore } from '#store/sqlite/restore-store.ts';
import { hasCode } from '#sys/errno.ts';

import type { Verb } from '../verb.ts';
import { storeFolder } from './store-folder.ts';

export const storeRestore: Verb = {
  usage: 'FILE',
  description:
    'Puts a file of slipway store backup in the place of the store in which the Kubernetes API keeps its objects. The\n' +
    'daemon must be stopped (slipway down). Either all is restored or nothing has changed; the store that was there stays\n' +
    'beside it as replaced.db. Clients list again: the resource versions go on beyond all that were given before.',
  options: {},
  operandsMost: 1,
  needsRoot: true,
  run: async ({ paths, env, operands, output, signal }) => {
    const folder = await storeFolder(paths, env, 'restore');
    const [file = ''] = operands;
    if (file === '') throw new StatusError('InvalidArgument', 'Cannot restore: write slipway store restore FILE');
    try {
      const backup = decompress(createReadStream(file, { signal }));
      const { entries, revision, replaced } = await restoreStore(folder, backup, signal);
      output.line(`restored ${String(entries)} keys; the store goes on at revision ${String(revision)}`);
      if (replaced !== undefined) output.line(`what was there is in ${replaced}`);
      return 0;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      throw new StatusError('NotFound', `Cannot restore "${file}": there is no such file`);
    }
  },
};
