import type { RegistryGarbageReport } from '#app/control-protocol.ts';

import { askDaemon } from '../control-client.ts';
import type { Verb } from '../verb.ts';
import { megabytes } from './registry-status.ts';

export const registryGc: Verb = {
  usage: '[--untagged] [--json]',
  description:
    'Removes what no manifest of the built-in registry names any more. Pushes may go on meanwhile: what is younger than\n' +
    'an hour stays.',
  options: {
    untagged: { type: 'boolean', summary: 'also remove manifests that no tag, index or subject keeps' },
    json: { type: 'boolean', summary: 'print one JSON object' },
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, output, signal }) => {
    const path = `/registry/gc?untagged=${String(flag('untagged'))}`;
    const report = (await askDaemon(paths.controlSocket, 'POST', path, signal)) as RegistryGarbageReport;
    const { blobs, manifests, bytes } = report;
    if (flag('json')) output.line(JSON.stringify(report));
    else output.line(`removed ${String(blobs)} blobs (${megabytes(bytes)}) and ${String(manifests)} manifests`);
    return 0;
  },
};
