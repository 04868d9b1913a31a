import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { StatusError } from '#base/errors.ts';
import { silentLogger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { lockFile } from '#sys/file-lock.ts';
import { unmountTree } from '#sys/mounts.ts';

import { readConfig } from './config.ts';
import type { InstancePaths } from './instance-paths.ts';
import { enginePlane } from './planes/engine.ts';

export interface PurgeOptions {
  readonly paths: InstancePaths;
  /** For PATH and the proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `KEY=VALUE` each, over the configuration file: what the daemon was started with, when it needs to be known. */
  readonly settings?: readonly string[];
}

/**
 * Deletes everything of one root but its configuration: containers, networks, volumes, images, logs, and what they
 * have in the kernel. Throws Conflict while the daemon runs. Safe to repeat after it was cut short.
 */
export async function purgeInstance({ paths, env, settings = [] }: PurgeOptions, signal: AbortSignal): Promise<void> {
  if (existsSync(paths.data)) {
    mkdirSync(paths.run, { recursive: true, mode: 0o755 });
    const lock = lockFile(paths.lockFile);
    if ('holderPid' in lock) {
      throw new StatusError(
        'Conflict',
        `Cannot delete the data of "${paths.root}": process ${String(lock.holderPid)} uses it; run slipway down first`,
      );
    }
    using _lock = lock;
    const config = await readConfig({ configFile: paths.configFile, env: {}, flags: settings });
    {
      const scope = { paths, logger: silentLogger, signal };
      await using engine = await enginePlane.start(config.engine, { env }, scope);
      await removeAll(engine.gives, signal);
    }
    removeKernelState({ instance: paths.instance, runDir: join(paths.run, 'engine') });
  }
  for (const path of [paths.run, paths.data]) {
    unmountTree(path);
    rmSync(path, { recursive: true, force: true });
  }
}

async function removeAll(engine: Engine, signal: AbortSignal): Promise<void> {
  for (const { id } of engine.containers.list())
    await engine.containers.remove(id, { force: true, volumes: true }, signal);
  await engine.networks.prune(new Set(), signal);
}
