import { execFileSync } from 'node:child_process';

import { toolPath } from './tools.ts';

/** Options of a test that uses what docker's client has only since a version; older distributions have older ones. */
export function needsClient(major: number): { readonly skip: string | false } {
  const text = execFileSync(toolPath('docker'), ['--version'], { encoding: 'utf8' });
  const found = Number(/version (\d+)/.exec(text)?.[1] ?? 0);
  return { skip: found >= major ? false : `docker's client ${String(found)} has not got these flags` };
}
