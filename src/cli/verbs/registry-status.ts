import type { RegistryStatus } from '#registry/serve-registry.ts';

import { askDaemon } from '../control-client.ts';
import type { Verb } from '../verb.ts';

export const registryStatus: Verb = {
  usage: '[--json]',
  description: 'Shows where the built-in registry listens and what it keeps.',
  options: { json: { type: 'boolean', summary: 'print one JSON object' } },
  operandsMost: 0,
  needsRoot: true,
  run: async ({ paths, flag, output, signal }) => {
    const report = (await askDaemon(paths.controlSocket, 'GET', '/registry', signal)) as RegistryStatus;
    if (flag('json')) output.line(JSON.stringify(report));
    else for (const line of registryLines(report)) output.line(line);
    return 0;
  },
};

export function registryLines(report: RegistryStatus): readonly string[] {
  return [
    `address       ${report.address}`,
    `repositories  ${String(report.repositories)}`,
    `blobs         ${String(report.blobs)}, ${megabytes(report.bytes)}`,
    `cached        ${megabytes(report.cachedBytes)}`,
    `uploads       ${String(report.uploads)} under way`,
  ];
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
