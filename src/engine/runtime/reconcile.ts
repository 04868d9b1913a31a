import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { ConcurrencyLimit } from '#base/limit.ts';
import { hasCode } from '#sys/errno.ts';
import { identify, isAlive, kill } from '#sys/process.ts';

import { awaitExit, clearRun, endRun } from './end-run.ts';
import { watchHealth } from './health.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { isRunning, type Run } from './record.ts';
import { startsWithDaemon } from './restart-policy.ts';
import { parentCgroup, type Room } from './room.ts';
import { bootId, logFolder, watchLog } from './start-run.ts';

const startsAtOnce = 4;
const idPattern = /^[0-9a-f]{64}$/;
const lostExitCode = 255;

/**
 * Brings memory in line with the world after a start of this process: containers that run are taken over, ends that nobody
 * saw are noted, what was cut off in the middle is finished or taken back, what belongs to no container is removed.
 */
export async function reconcile(room: Room, lifecycle: Lifecycle, signal: AbortSignal): Promise<void> {
  const lives = [...room.table.values()];
  for (const live of lives) holdVolumes(room, live);
  await Promise.all(lives.map((live) => lifecycle.alone(live, () => settle(room, lifecycle, live))));
  const running = new Set([...room.table.values()].filter((live) => isRunning(live.record)).map(({ id }) => id));
  await room.networks.reconcile(running, signal);
  await sweep(room);
  for (const live of room.table.values()) if (!isRunning(live.record)) room.snapshots.unmount(live.id);
  startByPolicy(room, lifecycle);
}

function holdVolumes(room: Room, live: LiveContainer): void {
  for (const { type, name } of live.record.mounts) if (type === 'volume') room.volumes.hold(name, live.id);
}

/** The caller holds the container's lock. */
async function settle(room: Room, lifecycle: Lifecycle, live: LiveContainer): Promise<void> {
  const { run, state, spec } = live.record;
  if (state.status === 'removing') {
    await lifecycle.removeAlone(live, live.record.removeVolumes === true);
    return;
  }
  if (run === undefined) return;
  if (run.init !== undefined && isAlive(run.init)) {
    adopt(room, live);
    return;
  }
  if (run.init === undefined) await takeBack(room, live, run);
  else {
    const end = run.bootId === bootId() ? await awaitExit(room, live.record) : undefined;
    await endRun(
      room,
      live,
      end ?? { exitCode: lostExitCode, endedNs: BigInt(Date.parse(state.startedAt)) * 1_000_000n },
    );
  }
  if (spec.autoRemove && live.record.hasRun) await lifecycle.removeAlone(live, true);
  else await room.records.save(live.record);
}

/** A container that still runs: listen to it again. */
function adopt(room: Room, live: LiveContainer): void {
  const { run, state } = live.record;
  if (run === undefined) return;
  const status = room.cgroups.isFrozen(run.cgroupPath) ? 'paused' : 'running';
  live.record = { ...live.record, state: { ...state, status } };
  live.finished = new AbortController();
  try {
    live.hub.connect(room.paths.bundle(live.id).attachSocket);
  } catch (error) {
    room.logger.warn('cannot attach to a running container', { container: live.id, error });
  }
  watchLog(room, live);
  watchHealth(room, live);
}

/** A start that was cut off before the container was known to run. */
async function takeBack(room: Room, live: LiveContainer, run: Run): Promise<void> {
  const identity = identify(pidIn(room.paths.bundle(live.id).pid));
  if (identity !== undefined && room.cgroups.pids(run.cgroupPath).includes(identity.pid)) kill(identity, 'SIGKILL');
  await clearRun(room, live, run.cgroupPath);
  const { run: _, ...rest } = live.record;
  live.record = { ...rest, state: { ...rest.state, status: rest.hasRun ? 'exited' : 'created', pid: 0 } };
}

function pidIn(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').trim()) || 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** Removes snapshots, logs, bundles and cgroups of containers that do not exist (any more). */
async function sweep(room: Room): Promise<void> {
  const isStray = (id: string): boolean => idPattern.test(id) && room.table.find(id) === undefined;
  for (const id of readFolder(join(room.paths.bundles))) {
    if (!isStray(id)) continue;
    const cgroupPath = join(parentCgroup(room.instance), id);
    for (const pid of room.cgroups.pids(cgroupPath)) {
      const identity = identify(pid);
      if (identity !== undefined) kill(identity, 'SIGKILL');
    }
    room.cgroups.remove(cgroupPath);
    const { folder, runtimeState } = room.paths.bundle(id);
    for (const path of [folder, runtimeState]) rmSync(path, { recursive: true, force: true });
    room.paths.removeExit(id);
  }
  for (const id of room.snapshots.writables().filter(isStray)) await room.snapshots.remove(id);
  for (const id of readFolder(join(room.dataDir, 'logs')).filter(isStray))
    rmSync(logFolder(room, id), { recursive: true, force: true });
  for (const id of readFolder(room.paths.exits).filter(isStray)) room.paths.removeExit(id);
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Starts what its restart policy wants to run, in the background: the daemon is healthy before. */
function startByPolicy(room: Room, lifecycle: Lifecycle): void {
  const limit = new ConcurrencyLimit(startsAtOnce);
  for (const live of room.table.values()) {
    const { record } = live;
    if (isRunning(record) || !record.hasRun) continue;
    const wants = startsWithDaemon({
      policy: record.spec.restart,
      exitCode: record.state.exitCode,
      manuallyStopped: record.manuallyStopped,
      restartCount: 0,
    });
    if (!wants) continue;
    limit
      .run(() => lifecycle.start(live, room.signal))
      .catch((error: unknown) => room.logger.warn('start by restart policy failed', { container: live.id, error }));
  }
}
