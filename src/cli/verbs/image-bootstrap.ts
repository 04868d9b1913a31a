import { createInterface } from 'node:readline';

import type { BootstrapLine } from '#app/control-protocol.ts';
import { StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { ControlClient, failure } from '../control-client.ts';
import type { Verb } from '../verb.ts';

/** Suites by release number, so that `--tag` follows from `--suite` and the other way round. */
const releases: Readonly<Record<string, string>> = { bullseye: '11', bookworm: '12', trixie: '13' };
const defaultSuite = 'bookworm';

export const imageBootstrap: Verb = {
  usage: 'debian [--suite NAME] [--tag IMAGE]',
  description:
    'Makes a minimal Debian base image from packages of the Debian mirror, each checked against the signed index, and\n' +
    `tags it debian:<release>. Suites: ${Object.keys(releases).join(', ')}.`,
  options: {
    suite: { type: 'string', value: 'NAME', summary: `the release to take, ${defaultSuite} unless given` },
    tag: { type: 'string', value: 'IMAGE', summary: 'the name of the image, debian:12 for bookworm and so on' },
  },
  operandsMost: 1,
  needsRoot: true,
  run: async ({ paths, operands, text, output, signal }) => {
    const [distribution = ''] = operands;
    if (distribution !== 'debian') {
      throw new StatusError(
        'NotSupported',
        `Cannot bootstrap "${distribution}": only debian is known; write image bootstrap debian`,
      );
    }
    const suite = text('suite') ?? defaultSuite;
    const request = { suite, tag: text('tag') ?? `debian:${releases[suite] ?? suite}` };
    const client = new ControlClient(paths.controlSocket);
    const response = await client.send('POST', '/images/bootstrap', request, signal).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT', 'ECONNREFUSED')) throw error;
      throw new StatusError('Unavailable', 'Cannot bootstrap an image: slipway does not run; start it with slipway up');
    });
    for await (const text of createInterface({ input: response })) {
      const line = JSON.parse(text) as BootstrapLine;
      if (line.kind === 'error') throw failure(line.reason, line.message);
      if (line.kind === 'progress') output.note(line.text);
      else output.line(`${line.tag}  ${line.imageId}  ${(line.sizeBytes / 1e6).toFixed(1)} MB`);
      if (line.kind === 'done') return 0;
    }
    throw new StatusError('Unavailable', 'Cannot finish the image: the daemon ended meanwhile; see slipway logs');
  },
};
