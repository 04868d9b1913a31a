import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { deadline, nowNs, sleep } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';
import { identify, isAlive, kill } from '#sys/process.ts';

import { removeBundle } from './bundle.ts';
import { eventAttributes, type LiveContainer } from './live-container.ts';
import type { ContainerRecord } from './record.ts';
import type { Room } from './room.ts';
import { formatTime, timeMs } from './timestamps.ts';

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
  const limit = deadline(settleMs);
  for (;;) {
    const end = readExit(exitPath);
    if (end !== undefined) return end;
    const holder = record.run?.holder;
    if (limit.aborted || holder === undefined || !isAlive(holder)) break;
    await sleep(lookAgainMs, limit).catch(() => {});
  }
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
  const bundle = room.paths.bundle(live.id);
  live.run?.[Symbol.dispose]();
  live.run = undefined;
  live.health = undefined;
  await endProcesses(room, cgroupPath);
  const { holder } = live.record.run ?? {};
  if (holder !== undefined) await ended(() => !isAlive(holder));
  // A connected one ends by itself when its readers have everything.
  if (!live.hub.isConnected) live.hub.finish();
  live.renewHub();
  live.finished.abort();
  endExecs(room, live);
  await room.networks.close(live.id);
  if (live.rootUsers === 0) room.snapshots.unmount(live.id);
  removeBundle(bundle);
  room.paths.removeExit(live.id);
}

/** Kills what is left in the cgroup (with a PID namespace of its own nothing is) and removes it. */
async function endProcesses(room: Room, cgroupPath: string): Promise<void> {
  await ended(() => {
    for (const pid of room.cgroups.pids(cgroupPath)) {
      const identity = identify(pid);
      if (identity !== undefined) kill(identity, 'SIGKILL');
    }
    return room.cgroups.remove(cgroupPath);
  });
  if (room.cgroups.exists(cgroupPath)) room.logger.warn('cgroup still has processes', { cgroupPath });
}

async function ended(look: () => boolean): Promise<void> {
  const limit = deadline(settleMs);
  while (!look() && !limit.aborted) await sleep(lookAgainMs, limit).catch(() => {});
}

/** Programs that were started in the container ended with it. */
function endExecs(room: Room, live: LiveContainer): void {
  for (const exec of live.execs.values()) {
    if (!exec.value.running) continue;
    const end = readExit(execExitPath(room, live, exec.value.id));
    exec.value = { ...exec.value, running: false, exitCode: end?.exitCode ?? killedExitCode, pid: 0 };
    if (!exec.hub.isConnected) exec.hub.finish();
    exec.ended.resolve(exec.value.exitCode ?? killedExitCode);
  }
}

/** conmon names exit files after the container, so each exec has a folder for its own. */
export function execExitPath(room: Pick<Room, 'paths'>, live: LiveContainer, execId: string): string {
  return join(room.paths.bundle(live.id).execs, execId, live.id);
}
