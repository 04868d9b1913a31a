import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import type { Cgroups } from '#sys/cgroups.ts';
import { hasCode } from '#sys/errno.ts';
import { identify, isAlive, kill, type ProcessIdentity } from '#sys/process.ts';

import { removeBundle } from './bundle.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import type { ContainerRecord } from './record.ts';
import { closeMounts } from './resolve-mounts.ts';
import type { Room } from './room.ts';
import { formatTime, timeMs } from './timestamps.ts';
import { comesTrue } from './waiting.ts';

/** How the end of a run became known. */
export interface RunEnd {
  readonly exitCode: number;
  /** Nanoseconds since the epoch. */
  readonly endedNs: bigint;
}

/** Bounds of waiting for what ends by itself a moment after the container's first process. */
const settleMs = 10_000;
const lookAgainMs = 3;
const lostExitCode = 255;
const killedExitCode = 137;

/** What conmon wrote into a file at the end of a process; undefined when there is nothing yet. */
export function readExit(path: string): RunEnd | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    const { mtimeNs } = statSync(path, { bigint: true });
    const exitCode = Number(text);
    return {
      exitCode: text === '' || !Number.isInteger(exitCode) || exitCode < 0 ? lostExitCode : exitCode,
      endedNs: mtimeNs,
    };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Waits for the word of a conmon about a container whose first process is gone; without a conmon, or when it stays silent,
 * the exit code is lost (255).
 */
export async function awaitExit(room: Room, record: ContainerRecord): Promise<RunEnd> {
  const exitPath = join(room.paths.exits, record.id);
  const holder = record.run?.holder;
  const isSaid = (): boolean => readExit(exitPath) !== undefined || holder === undefined || !isAlive(holder);
  await comesTrue(isSaid, lookAgainMs, settleMs);
  return readExit(exitPath) ?? { exitCode: lostExitCode, endedNs: nowNs() };
}

/**
 * Takes the end of a run up: whatever it had in the kernel is removed, the record says how it ended. The caller holds the
 * lock, and saves the record. Docker's `die` is published.
 */
export async function endRun(room: Room, live: LiveContainer, end: RunEnd): Promise<void> {
  const { run } = live.record;
  if (run === undefined) return;
  const oomKilled = room.cgroups.oomKills(run.cgroupPath) > 0;
  await clearRun(room, live, run.cgroupPath);
  const { run: _, ...rest } = live.record;
  const finishedAt = formatTime(end.endedNs);
  live.record = {
    ...rest,
    state: { ...rest.state, status: 'exited', pid: 0, exitCode: end.exitCode, oomKilled, finishedAt },
  };
  const attributes = eventAttributes(live.record);
  if (oomKilled) room.events.publish('container', 'oom', live.id, attributes);
  const ranS = Math.max(0, Math.round((timeMs(finishedAt) - timeMs(rest.state.startedAt)) / 1000));
  room.events.publish('container', 'die', live.id, {
    ...attributes,
    exitCode: String(end.exitCode),
    execDuration: String(ranS),
  });
}

/** Removes everything that a run, complete or not, has in the kernel and in the run folder. Idempotent. */
export async function clearRun(room: Room, live: LiveContainer, cgroupPath: string): Promise<void> {
  live.run?.[Symbol.dispose]();
  live.run = undefined;
  live.health = undefined;
  const { holder } = live.record.run ?? {};
  const done = await Promise.allSettled([endProcesses(room, cgroupPath, holder), room.networks.close(live.id)]);
  // A connected one ends by itself when its readers have everything.
  if (!live.hub.isConnected) live.hub.finish();
  live.renewHub();
  live.finished.abort();
  endExecs(room, live);
  if (live.rootUsers === 0) {
    room.snapshots.unmount(live.id);
    live.rootIds = undefined;
  }
  removeBundle(room.paths.bundle(live.id));
  await closeMounts(room, live.record);
  for (const { type, name } of live.record.mounts)
    if (type === 'volume') room.events.publish('volume', 'unmount', name, { driver: 'local', container: live.id });
  room.paths.removeExit(live.id);
  for (const result of done) if (result.status === 'rejected') throw result.reason;
}

/** Kills what is left in the cgroup (with a PID namespace of its own nothing is) and waits for it and for conmon. */
async function endProcesses(room: Room, cgroupPath: string, holder: ProcessIdentity | undefined): Promise<void> {
  const isGone = (): boolean => {
    killCgroup(room.cgroups, cgroupPath);
    return room.cgroups.remove(cgroupPath);
  };
  if (!(await comesTrue(isGone, lookAgainMs, settleMs))) room.logger.warn('cgroup still has processes', { cgroupPath });
  if (holder !== undefined) await comesTrue(() => !isAlive(holder), lookAgainMs, settleMs);
}

/** Sends SIGKILL to all processes of a cgroup. */
export function killCgroup(cgroups: Cgroups, path: string): void {
  for (const pid of cgroups.pids(path)) {
    const identity = identify(pid);
    if (identity !== undefined) kill(identity, 'SIGKILL');
  }
}

/** Programs that were started in the container ended with it. */
function endExecs(room: Room, live: LiveContainer): void {
  for (const exec of live.execs.values()) {
    if (!exec.value.running) continue;
    const end = readExit(execExitPath(room, live, exec.value.id));
    exec.value = { ...exec.value, running: false, exitCode: end?.exitCode ?? killedExitCode, pid: 0 };
    if (!exec.hub.isConnected) exec.hub.finish();
    exec.watch?.[Symbol.dispose]();
    exec.ended.resolve(exec.value.exitCode ?? killedExitCode);
  }
}

/** conmon names exit files after the container, so each exec has a folder for its own. */
export function execExitPath(room: Pick<Room, 'paths'>, live: LiveContainer, execId: string): string {
  return join(execFolder(room, live, execId), live.id);
}

export function execFolder(room: Pick<Room, 'paths'>, live: LiveContainer, execId: string): string {
  return join(room.paths.bundle(live.id).execs, execId);
}
