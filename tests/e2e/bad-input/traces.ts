import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Instance } from '../../kit/instance.ts';
import { mountsBelow } from '#sys/mount-info.ts';

/** Folders of layers and containers hold whole root filesystems; deeper down nothing is of interest. */
const depthMost = 4;

/**
 * Everything that a failed request could leave behind: objects, files of the daemon, mounts. Two of them are equal when
 * nothing was left.
 */
export async function tracesOf(instance: Instance): Promise<readonly string[]> {
  const lists = await Promise.all([
    instance.dockerOutput('ps', '-aq', '--no-trunc'),
    instance.dockerOutput('images', '-aq', '--no-trunc'),
    instance.dockerOutput('network', 'ls', '-q', '--no-trunc'),
    instance.dockerOutput('volume', 'ls', '-q'),
  ]);
  const engine = join(instance.paths.data, 'engine');
  const mounts = mountsBelow(instance.root).map(({ mountPoint }) => `mount ${mountPoint}`);
  return [
    ...lists,
    ...filesBelow(engine, depthMost),
    ...filesBelow(join(instance.paths.run, 'engine'), 2),
    ...mounts,
  ].sort();
}

function filesBelow(folder: string, depth: number): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() && depth > 1 ? [path, ...filesBelow(path, depth - 1)] : [path];
  });
}
