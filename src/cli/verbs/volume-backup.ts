import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';

import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import { hasCode } from '#sys/errno.ts';

import { ControlClient } from '../control-client.ts';
import type { Verb } from '../verb.ts';

/** How the file's name says that it is compressed. */
const compressors: readonly (readonly [ending: RegExp, make: () => Transform])[] = [
  [/\.(?:tar\.zst|tzst)$/, () => createZstdCompress()],
  [/\.(?:tar\.gz|tgz)$/, () => createGzip()],
  [/\.tar$/, () => new PassThrough()],
];

export const volumeBackup: Verb = {
  usage: 'NAME -o FILE [--pause]',
  description:
    'Writes what is in a volume to a file: .tar.zst, .tar.gz or .tar, with owners, modes, extended attributes, hard\n' +
    'links and holes. Containers go on meanwhile unless --pause holds those that use the volume still. The file is\n' +
    'there when it is whole.',
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', summary: 'the file to write, replaced when it exists' },
    pause: { type: 'boolean', summary: 'pause the containers that use the volume for as long as it takes' },
  },
  operandsMost: 1,
  needsRoot: true,
  run: async ({ paths, operands, text, flag, output, signal }) => {
    const [name = ''] = operands;
    const file = text('output') ?? '';
    const compressor = compressors.find(([ending]) => ending.test(file))?.[1];
    if (name === '' || compressor === undefined)
      throw new StatusError(
        'InvalidArgument',
        'Cannot back up: write slipway volume backup NAME -o FILE, where FILE ends with .tar.zst, .tar.gz or .tar',
      );
    const query = new URLSearchParams({ name, pause: flag('pause') ? '1' : '0' });
    const client = new ControlClient(paths.controlSocket);
    const partial = `${file}.${newId().slice(0, 12)}.partial`;
    try {
      const tar = await client.send('GET', `/volumes/backup?${query.toString()}`, undefined, signal);
      await pipeline(tar, compressor(), createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }), {
        signal,
      });
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true });
      if (hasCode(error, 'ECONNRESET'))
        throw new StatusError('Unavailable', `Cannot back up volume "${name}": the daemon broke off; see slipway logs`);
      throw error;
    }
    output.line(`${name}  ${file}`);
    return 0;
  },
};
