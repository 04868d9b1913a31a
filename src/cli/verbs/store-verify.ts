import { reasons } from '#base/errors.ts';
import { verifyStore } from '#store/sqlite/verify-store.ts';

import type { Verb } from '../verb.ts';
import { storeFolder } from './store-folder.ts';
import { megabytes } from './registry-status.ts';

export const storeVerify: Verb = {
  usage: '[--json]',
  description:
    'Reads all of the store in which the Kubernetes API keeps its objects: the structure of its file, each value against\n' +
    'its checksum, and the order of its changes. The daemon may run meanwhile. Exit code 8 when something is wrong.',
  options: {
    json: { type: 'boolean', summary: 'print one JSON object' },
  },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, env, flag, output }) => {
    const folder = await storeFolder(paths, env, 'verify');
    const report = verifyStore(folder);
    const { path, sizeBytes, revision, entries, changes, problems } = report;
    if (flag('json'))
      output.line(JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
    else {
      output.line(`${path}  ${megabytes(sizeBytes)}  revision ${String(revision)}`);
      output.line(`${String(entries)} keys, ${String(changes)} changes in the log`);
      for (const problem of problems) output.line(`problem: ${problem}`);
      output.line(problems.length === 0 ? 'all is well' : 'slipway store restore FILE puts a backup in its place');
    }
    return await Promise.resolve(problems.length === 0 ? 0 : reasons.Damaged.exitCode);
  },
};
