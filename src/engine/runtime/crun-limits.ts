import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Cgroups } from '#sys/cgroups.ts';

import type { RuntimeName } from './oci-runtimes.ts';
import type { RuntimeResources } from './spec/runtime-spec.ts';

/** Limits of a container, and who writes them. */
interface SplitLimits {
  /** For the runtime. */
  readonly given: RuntimeResources;
  /** For `writeLimits`. */
  readonly own: Pick<RuntimeResources, 'pids' | 'blockIO'>;
}

/**
 * Takes out of limits what crun 1.8 cannot write: any number of processes, and on cgroup v1 the weights of block devices,
 * whose files have other names on kernels of today than on those that it knows.
 */
export function splitLimits(runtime: RuntimeName, resources: RuntimeResources, mode: Cgroups['mode']): SplitLimits {
  if (runtime !== 'crun') return { given: resources, own: {} };
  const { pids, blockIO, ...rest } = resources;
  const { weight, weightDevice, ...throttles } = blockIO ?? {};
  const weights = { ...(weight !== undefined && { weight }), ...(weightDevice !== undefined && { weightDevice }) };
  const [givenBlocks, ownBlocks] = mode === 'v2' ? [blockIO ?? {}, {}] : [throttles, weights];
  const isUnlimited = pids !== undefined && pids.limit < 0;
  return {
    given: {
      ...rest,
      ...(pids !== undefined && !isUnlimited && { pids }),
      ...(Object.keys(givenBlocks).length > 0 && { blockIO: givenBlocks }),
    },
    own: { ...(isUnlimited && { pids }), ...(Object.keys(ownBlocks).length > 0 && { blockIO: ownBlocks }) },
  };
}

/** Writes limits that the runtime did not get into the cgroup of a container. */
export function writeLimits(
  cgroups: Pick<Cgroups, 'folder'>,
  path: string,
  { pids, blockIO }: SplitLimits['own'],
): void {
  const write = (controller: string, names: readonly string[], value: string): void => {
    const folder = cgroups.folder(controller, path);
    if (folder === undefined) return;
    const files = names.map((name) => join(folder, name));
    writeFileSync(files.find((file) => existsSync(file)) ?? join(folder, names[0] ?? ''), value);
  };
  if (pids !== undefined) write('pids', ['pids.max'], 'max');
  if (blockIO?.weight !== undefined) write('blkio', ['blkio.weight', 'blkio.bfq.weight'], String(blockIO.weight));
  for (const { major, minor, weight } of blockIO?.weightDevice ?? [])
    write(
      'blkio',
      ['blkio.weight_device', 'blkio.bfq.weight_device'],
      `${String(major)}:${String(minor)} ${String(weight)}`,
    );
}
