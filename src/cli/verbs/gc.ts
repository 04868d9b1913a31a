import type { CollectionReport } from '#app/control-protocol.ts';

import { ControlClient, readJson } from '../control-client.ts';
import { columns } from '../output.ts';
import type { Verb } from '../verb.ts';

export const gc: Verb = {
  usage: '[--dry-run]',
  description:
    'Removes what the settings gc.* say may go: the build cache beyond its budget, images that nothing names or uses\n' +
    'for long. The daemon does the same by itself all the time; nothing that is used is ever removed. Sizes are what\n' +
    'comes back, so that what several images share counts with the last of them.',
  options: {
    'dry-run': { type: 'boolean', summary: 'only show what would be removed, and why' },
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, output, signal }) => {
    const dryRun = flag('dry-run');
    const client = new ControlClient(paths.controlSocket);
    const response = await client.send('POST', `/gc?dry-run=${dryRun ? '1' : '0'}`, undefined, signal);
    const { items, freedBytes } = (await readJson(response)) as CollectionReport;
    const rows = items.map(({ kind, id, name, freesBytes, why }) => [
      kind,
      id.replace(/^sha256:/, '').slice(0, 12),
      name.replaceAll(/\s+/g, ' ').slice(0, 40),
      megabytes(freesBytes),
      why,
    ]);
    if (rows.length > 0)
      for (const line of columns([['WHAT', 'ID', 'NAME', 'FREES', 'WHY'], ...rows])) output.line(line);
    const planned = items.reduce((sum, { freesBytes }) => sum + freesBytes, 0);
    output.line(dryRun ? `would free ${megabytes(planned)}` : `freed ${megabytes(freedBytes)}`);
    return 0;
  },
};

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
