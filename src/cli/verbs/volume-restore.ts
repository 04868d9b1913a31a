import { createReadStream } from 'node:fs';

import { StatusError } from '#base/errors.ts';
import { decompress } from '#engine/stream/decompress.ts';

import { ControlClient } from '../control-client.ts';
import type { Verb } from '../verb.ts';

export const volumeRestore: Verb = {
  usage: 'NAME FILE [--force]',
  description:
    'Fills a volume from a file of slipway volume backup, or any tar that is plain, gzip or zstd. A volume that is not\n' +
    'there is made. One that holds something is refused unless --force replaces all that is in it; so is one that a\n' +
    'running container uses. Either all is restored, or nothing has changed.',
  options: {
    force: { type: 'boolean', summary: 'replace what is in the volume' },
  },
  operandsMost: 2,
  needsRoot: true,
  run: async ({ paths, operands, flag, output, signal }) => {
    const [name = '', file = ''] = operands;
    if (name === '' || file === '')
      throw new StatusError('InvalidArgument', 'Cannot restore: write slipway volume restore NAME FILE');
    const query = new URLSearchParams({ name, force: flag('force') ? '1' : '0' });
    const client = new ControlClient(paths.controlSocket);
    const tar = decompress(createReadStream(file, { signal }));
    await client.upload(`/volumes/restore?${query.toString()}`, tar, signal);
    output.line(name);
    return 0;
  },
};
