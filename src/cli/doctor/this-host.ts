import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { InstancePaths } from '#app/instance-paths.ts';
import { deadline, nowMs } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { mountOverlay, unmount } from '#sys/mounts.ts';
import { listChains, openFilterSocket } from '#sys/nft/rules.ts';

import type { Chain, Host } from './check.ts';

const programMs = 10_000;

/** The machine itself. */
export function thisHost(paths: InstancePaths, env: Host['env'], signal: AbortSignal): Host {
  return {
    paths,
    env,
    nowMs: nowMs(),
    read: (path) => attempt(() => readFileSync(path, 'utf8')),
    exists: existsSync,
    linkTarget: (path) => attempt(() => readlinkSync(path)),
    version: async (program) => {
      const output = await promisify(execFile)(program, ['--version'], { signal: deadline(programMs, signal) }).catch(
        () => undefined,
      );
      return output?.stdout.split('\n')[0];
    },
    hasProgram: (program) =>
      [...(env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'].some((folder) =>
        existsSync(join(folder, program)),
      ),
    diskSpace: (path) => {
      const { bavail, blocks, bsize } = statfsSync(nearest(path));
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    },
    tryOverlay: () => tryOverlay(nearest(paths.data)),
    chains: findChains,
  };
}

/** The path itself or the folder above it that exists. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

function tryOverlay(folder: string): string | undefined {
  const place = mkdtempSync(join(folder, '.slipway-doctor-'));
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(place, name));
    const target = join(place, 'merged');
    mountOverlay({ folder: place, lowers: ['lower'], upper: join(place, 'upper'), work: join(place, 'work'), target });
    unmount(target);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function findChains(): readonly Chain[] | { readonly error: string } {
  const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
  try {
    using socket = openFilterSocket();
    return listChains(socket).map(({ family, table, chain, hook, policy }) => {
      return { family, table, name: chain, hook: hooks[hook ?? -1], policy };
    });
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
