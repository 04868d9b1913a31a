import { execFileSync } from 'node:child_process';

import { toolPath } from './tools.ts';

/** Options of a test that uses what docker's client has only since a version; older distributions have older ones. */
export function needsClient(major: number): { readonly skip: string | false } {
  const found = clientMajor();
  return { skip: found >= major ? false : `docker's client ${String(found)} has not got these flags` };
}

/** The major version of docker's client. */
export function clientMajor(): number {
  const text = execFileSync(toolPath('docker'), ['--version'], { encoding: 'utf8' });
  return Number(/version (\d+)/.exec(text)?.[1] ?? 0);
}
