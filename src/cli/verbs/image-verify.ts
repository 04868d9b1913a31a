import { createInterface } from 'node:readline';

import type { DamagedLayer, VerifyLine } from '#app/control-protocol.ts';
import { reasons, StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';

import { ControlClient, failure } from '../control-client.ts';
import type { Verb } from '../verb.ts';

export const imageVerify: Verb = {
  usage: '[NAME...] [--quiet]',
  description:
    'Compares the layers of images on this disk with the digests that they were pulled or built by; all layers, also\n' +
    'those of the build cache, without a name. A damaged one is named, and no container starts on it any more until\n' +
    'its images are pulled or built again. It reads every file: that takes as long as the disk needs.',
  options: { quiet: { type: 'boolean', summary: 'say nothing while it works' } },
  operandsMost: 1_000,
  needsRoot: true,
  run: async ({ paths, operands, flag, output, signal }) => {
    const query = new URLSearchParams(operands.map((name): [string, string] => ['name', name]));
    const client = new ControlClient(paths.controlSocket);
    const path = `/images/verify?${query.toString()}`;
    const response = await client.send('POST', path, undefined, signal).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT', 'ECONNREFUSED')) throw error;
      throw new StatusError('Unavailable', 'Cannot verify images: slipway does not run; start it with slipway up');
    });
    for await (const text of createInterface({ input: response })) {
      const line = JSON.parse(text) as VerifyLine;
      if (line.kind === 'error') throw failure(line.reason, line.message);
      if (line.kind === 'progress') {
        if (!flag('quiet')) output.note(line.text);
        continue;
      }
      for (const layer of line.damaged) output.line(sentence(layer));
      const found = `${String(line.layers)} layers, ${String(line.damaged.length)} damaged`;
      output.line(found);
      return line.damaged.length === 0 ? 0 : reasons.Damaged.exitCode;
    }
    throw new StatusError('Unavailable', 'Cannot say how it ended: the daemon ended meanwhile; see slipway logs');
  },
};

function sentence({ diffId, damage, images }: DamagedLayer): string {
  const whose = images.length === 0 ? 'the build cache' : images.join(', ');
  const way =
    images.length === 0
      ? 'docker builder prune --all removes it'
      : `remove their containers, docker rmi --force ${images.join(' ')}, then pull or build them again`;
  return `damaged: layer ${diffId} of ${whose}: ${damage}; ${way}`;
}
