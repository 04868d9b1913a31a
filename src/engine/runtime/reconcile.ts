import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import { hasCode } from '#sys/errno.ts';
import { identify, isAlive, kill, type ProcessIdentity } from '#sys/process.ts';

import { removeBundle } from './bundle.ts';
import { awaitExit, clearRun, endRun, execFolder, killCgroup, type RunEnd } from './end-run.ts';
import { notedExecs } from './exec-notes.ts';
import { takeExecExit, watchExec } from './execs.ts';
import { removeViews } from './file-view.ts';
import { finishChange } from './change-spec.ts';
import { watchHealth } from './health.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { findProcesses } from './process-search.ts';
import { isRunning, type Run, runtimeOf } from './record.ts';
import { removeContainer } from './removal.ts';
import { resumeReplacement } from './replacement.ts';
import { closeMounts } from './resolve-mounts.ts';
import { startsWithDaemon } from './restart-policy.ts';
import { parentCgroup, type Room } from './room.ts';
import { openForgottenGate } from './start-gate.ts';
import { removeLog, shipRest, watchLog } from './run-log.ts';
import { bootId, cgroupOf } from './start-run.ts';
import { comesTrue } from './waiting.ts';

const startsAtOnce = 4;
const idPattern = /^[0-9a-f]{64}$/;
/** Of a container, or of one of its image mounts. */
const snapshotPattern = /^([0-9a-f]{64})(?:-\d+)?$/;
const lostExitCode = 255;
const settleMs = 10_000;
const lookAgainMs = 3;

/**
 * Brings memory in line with the world after a start of this process: containers that run are taken over, ends that nobody
 * saw are noted, what was cut off in the middle is finished or taken back, what belongs to no container is removed.
 */
export async function reconcile(room: Room, lifecycle: Lifecycle, signal: AbortSignal): Promise<void> {
  const lives = [...room.table.values()];
  for (const live of lives) holdVolumes(room, live);
  const snapshots = new Set(room.snapshots.writables());
  await Promise.all(
    lives.map((live) => lifecycle.alone(live, () => settle(room, lifecycle, live, snapshots.has(live.id)))),
  );
  const running = new Set([...room.table.values()].filter((live) => isRunning(live.record)).map(({ id }) => id));
  const sandboxes = room.sandboxes.list().map(({ id }) => id);
  await room.networks.reconcile(new Set([...running, ...sandboxes]), signal);
  await sweep(room);
  for (const live of room.table.values()) {
    if (isRunning(live.record)) continue;
    room.snapshots.unmount(live.id);
    await closeMounts(room, live.record);
    shipRest(room, live);
  }
  await room.volumes.closeUnused();
  const busy = resumeChanges(room, lifecycle);
  startByPolicy(room, lifecycle, busy);
}

/** Goes on with what was being changed, in the background; returns the IDs of all that it is about. */
function resumeChanges(room: Room, lifecycle: Lifecycle): ReadonlySet<string> {
  const busy = new Set<string>();
  for (const live of room.table.values()) {
    const { change, replaces } = live.record;
    if (change === undefined && replaces === undefined) continue;
    busy.add(live.id);
    if (replaces !== undefined) busy.add(replaces.id);
    const work =
      replaces === undefined ? finishChange(room, lifecycle, live) : resumeReplacement(room, lifecycle, live);
    work.catch((error: unknown) => room.logger.error('change was not finished', { container: live.id, error }));
  }
  return busy;
}

function holdVolumes(room: Room, live: LiveContainer): void {
  const mounts = [...live.record.mounts, ...(live.record.change?.mounts ?? [])];
  for (const { type, name } of mounts) if (type === 'volume') room.volumes.hold(name, live.id);
}

/** The caller holds the container's lock. */
async function settle(room: Room, lifecycle: Lifecycle, live: LiveContainer, hasSnapshot: boolean): Promise<void> {
  const { run, state, spec } = live.record;
  if (state.status === 'removing') {
    await removeContainer(room, live, live.record.removeVolumes === true);
    return;
  }
  if (!hasSnapshot) {
    // Its removal was begun before loss of power, and what was noted of it is gone.
    room.logger.warn('container without a root filesystem is removed', { container: live.id, name: live.record.name });
    await removeContainer(room, live, spec.autoRemove);
    return;
  }
  if (run === undefined) {
    // The record of a start is written while the runtime works: the bundle tells of one that was cut off before.
    if (existsSync(room.paths.bundle(live.id).folder)) await takeBack(room, live, cgroupOf(room, live.record));
    // It waited for its turn; whether it gets it is decided anew.
    if (state.status === 'restarting') live.record = { ...live.record, state: { ...state, status: 'exited' } };
    return;
  }
  if (run.init !== undefined && isAlive(run.init)) {
    await adopt(room, live, run.init);
    watchHealth(room, live, () => lifecycle.unhealthySeen(live));
    return;
  }
  if (run.init === undefined && run.bootId === bootId()) await takeBack(room, live, run.cgroupPath);
  else await endRun(room, live, await lastWord(room, live, run));
  if (spec.autoRemove && live.record.hasRun && live.record.change === undefined)
    await removeContainer(room, live, true);
  else await room.records.save(live.record);
}

/** How a run ended that ended unseen; after a reboot nobody knows. */
async function lastWord(room: Room, live: LiveContainer, run: Run): Promise<RunEnd> {
  live.record = { ...live.record, hasRun: true };
  if (run.bootId === bootId()) return awaitExit(room, live.record);
  room.paths.removeExit(live.id);
  return { exitCode: lostExitCode, endedNs: nowNs() };
}

/** A container that still runs: listen to it again. */
async function adopt(room: Room, live: LiveContainer, init: ProcessIdentity): Promise<void> {
  const { run, state } = live.record;
  if (run === undefined) return;
  const bundle = room.paths.bundle(live.id);
  const status = room.cgroups.isFrozen(run.cgroupPath) ? 'paused' : 'running';
  live.record = { ...live.record, startsAgain: false, state: { ...state, status } };
  live.finished = new AbortController();
  live.hub.serve(bundle.attachSocket);
  watchLog(room, live);
  await openForgottenGate(bundle, runtimeOf(live.record), init);
  await reopenVolumes(room, live);
  adoptExecs(room, live);
}

/** It has them mounted; they are told who uses them. */
async function reopenVolumes(room: Room, live: LiveContainer): Promise<void> {
  for (const { type, name } of live.record.mounts) {
    if (type !== 'volume') continue;
    try {
      await room.volumes.open(name, live.id, room.signal);
    } catch (error) {
      room.logger.warn('volume of a running container cannot be opened', { container: live.id, volume: name, error });
    }
  }
}

function adoptExecs(room: Room, live: LiveContainer): void {
  for (const { exec, isHeld } of notedExecs(room, live)) {
    room.table.addExec(live, exec);
    exec.hub.serve(join(execFolder(room, live, exec.value.id), 'attach'));
    watchExec(room, live, exec);
    takeExecExit(room, live, exec, !isHeld);
  }
}

/** A start that was cut off before the container was known to be made. */
async function takeBack(room: Room, live: LiveContainer, cgroupPath: string): Promise<void> {
  const bundle = room.paths.bundle(live.id);
  killHolders(bundle.folder);
  const identity = identify(pidIn(bundle.pid));
  if (identity !== undefined && room.cgroups.pids(cgroupPath).includes(identity.pid)) kill(identity, 'SIGKILL');
  await clearRun(room, live, cgroupPath);
  const { run: _, ...rest } = live.record;
  live.record = { ...rest, state: { ...rest.state, status: rest.hasRun ? 'exited' : 'created', pid: 0 } };
}

/** Ends the conmons that hold something in a bundle, or in any; the runtime that one just runs ends with it. */
function killHolders(folder: string): void {
  const isMeant = (argument: string): boolean =>
    argument === `--bundle=${folder}` || argument.startsWith(`--bundle=${folder}/`);
  for (const holder of findProcesses(isMeant)) kill(holder, 'SIGKILL');
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
  removeViews(room.paths.views);
  const isStray = (id: string): boolean => idPattern.test(id) && room.table.find(id) === undefined;
  for (const id of readFolder(join(room.paths.bundles))) {
    if (!isStray(id)) continue;
    const bundle = room.paths.bundle(id);
    killHolders(bundle.folder);
    const cgroupPath = join(parentCgroup(room.instance), id);
    const isGone = (): boolean => {
      killCgroup(room.cgroups, cgroupPath);
      return room.cgroups.remove(cgroupPath);
    };
    if (!(await comesTrue(isGone, lookAgainMs, settleMs)))
      room.logger.warn('cgroup of no container has processes', { cgroupPath });
    removeBundle(bundle);
    room.paths.removeExit(id);
  }
  for (const id of room.snapshots.writables())
    if (isStray(snapshotPattern.exec(id)?.[1] ?? '')) await room.snapshots.remove(id);
  for (const id of readFolder(join(room.dataDir, 'logs')).filter(isStray)) await removeLog(room, id);
  room.shippers.sweep((id) => room.table.find(id) !== undefined);
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
function startByPolicy(room: Room, lifecycle: Lifecycle, busy: ReadonlySet<string>): void {
  const limit = new ConcurrencyLimit(startsAtOnce);
  const idle = [...room.table.values()].filter(({ id }) => !busy.has(id));
  const wanted = new Map(idle.filter(wantsStart).map((live) => [live.id, live]));
  const begun = new Map<string, Promise<void>>();
  const start = (live: LiveContainer): Promise<void> => {
    const known = begun.get(live.id);
    if (known !== undefined) return known;
    // Whoever has links starts after those that it is linked to, which were made before it.
    const linked = (live.record.spec.network.links ?? []).flatMap(({ containerId }) => wanted.get(containerId) ?? []);
    const started = Promise.all(linked.map(start))
      .then(() => limit.run(async () => void (await lifecycle.start(live, room.signal))))
      .catch((error: unknown) => room.logger.warn('start by restart policy failed', { container: live.id, error }));
    begun.set(live.id, started);
    return started;
  };
  for (const live of wanted.values()) void start(live);
}

function wantsStart({ record }: LiveContainer): boolean {
  if (isRunning(record) || !record.hasRun) return false;
  const { spec, state, manuallyStopped, startsAgain } = record;
  if (startsAgain === true) return true;
  return startsWithDaemon({ policy: spec.restart, exitCode: state.exitCode, manuallyStopped, restartCount: 0 });
}
