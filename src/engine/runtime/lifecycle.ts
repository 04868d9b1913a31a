import { rmSync } from 'node:fs';

import { after, deadline, sleep } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import { kill as killProcess } from '#sys/process.ts';

import { awaitExit, endRun, type RunEnd } from './end-run.ts';
import { watchHealth } from './health.ts';
import { eventAttributes, type LiveContainer, notRunning } from './live-container.ts';
import { type ContainerRecord, isRunning } from './record.ts';
import { restartDelayMs } from './restart-policy.ts';
import type { Room } from './room.ts';
import { runRuntime } from './runtime-command.ts';
import { signalNumber } from './signals.ts';
import { logFolder, startRun } from './start-run.ts';
import { timeMs } from './timestamps.ts';

const sigkill = 9;
/** After SIGKILL a process is gone but for a moment; longer means that it hangs in the kernel. */
const killMs = 10_000;
/** A reader of the output that is slower than this does not hold the exit status back. */
const outputMs = 10_000;

export interface StopOptions {
  readonly timeoutSeconds?: number;
  readonly signal?: string;
}

/** Starts, stops and removes containers; one change of a container at a time. */
export class Lifecycle {
  readonly #room: Room;
  readonly #lock = new KeyedLock();

  constructor(room: Room) {
    this.#room = room;
  }

  /** Runs `work` while nobody else changes the container. */
  async alone<T>(live: LiveContainer, work: () => Promise<T>): Promise<T> {
    return this.#lock.run(live.id, work);
  }

  /** Returns false when it runs already. */
  async start(live: LiveContainer, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#start(live, signal);
    } catch (error) {
      // Docker removes what was to be removed after its run, also when there was none; clients wait for that.
      if (live.record.spec.autoRemove && live.record.state.error !== '' && !isRunning(live.record)) {
        live.tellExit({ exitCode: live.record.state.exitCode, error: '' });
        await this.remove(live, { force: false, volumes: true }, this.#room.signal);
      }
      throw error;
    }
  }

  async #start(live: LiveContainer, signal: AbortSignal): Promise<boolean> {
    return this.alone(live, async () => {
      const { status } = live.record.state;
      if (status === 'paused')
        throw new StatusError('Conflict', 'cannot start a paused container, try unpause instead');
      if (status === 'removing') throw goingAway(live);
      if (isRunning(live.record)) return false;
      cancelRestart(live);
      live.record = {
        ...live.record,
        manuallyStopped: false,
        lastDelayMs: 0,
        state: { ...live.record.state, restartCount: 0 },
      };
      await this.#startAlone(live, signal);
      return true;
    });
  }

  /** Takes up that the container's process ended, as conmon's word says; ends that were taken up already are ignored. */
  async takeExit(live: LiveContainer): Promise<void> {
    const hub = live.hub;
    const wasRemoved = await this.alone(live, async () => {
      if (live.record.run?.init === undefined || hub !== live.hub) return undefined;
      return this.#finishRun(live, await awaitExit(this.#room, live.record));
    });
    if (wasRemoved === undefined) return;
    await Promise.race([hub.closed, sleep(outputMs, this.#room.signal).catch(() => {})]);
    live.tellExit({ exitCode: live.record.state.exitCode, error: live.record.state.error });
    if (wasRemoved) live.tellRemoved();
  }

  /** Returns false when it does not run. */
  async stop(live: LiveContainer, options: StopOptions, abort: AbortSignal): Promise<boolean> {
    const { spec } = live.record;
    const number = signalNumber(options.signal ?? (spec.stopSignal || 'SIGTERM'));
    if (!(await this.#markStopped(live))) return false;
    const exit = live.addWaiter('next-exit', this.#room.signal);
    exit.catch(() => {});
    await this.#signal(live, number);
    const seconds = options.timeoutSeconds ?? spec.stopTimeoutSeconds;
    if (seconds >= 0) await within(exit, seconds * 1000, abort);
    else await abortable(exit, abort);
    if (isRunning(live.record)) await this.#kill(live);
    this.#room.events.publish('container', 'stop', live.id, eventAttributes(live.record));
    return true;
  }

  async kill(live: LiveContainer, signalName: string): Promise<void> {
    const number = signalNumber(signalName === '' ? 'SIGKILL' : signalName);
    if (!isRunning(live.record))
      throw new StatusError(
        'Conflict',
        `cannot kill container: ${live.record.name}: container ${live.id} is not running`,
      );
    const { stopSignal } = live.record.spec;
    if (number === sigkill || number === signalNumber(stopSignal || 'SIGTERM')) await this.#markStopped(live);
    await this.#signal(live, number);
    const attributes = { ...eventAttributes(live.record), signal: String(number) };
    this.#room.events.publish('container', 'kill', live.id, attributes);
  }

  async pause(live: LiveContainer): Promise<void> {
    await this.alone(live, async () => {
      if (live.record.state.status === 'paused')
        throw new StatusError('Conflict', `Container ${live.id} is already paused`);
      if (!isRunning(live.record)) throw notRunning(live);
      await runRuntime(this.#room, ['pause', live.id]);
      this.#note(live, { ...live.record, state: { ...live.record.state, status: 'paused' } });
    });
    this.#room.events.publish('container', 'pause', live.id, eventAttributes(live.record));
  }

  async unpause(live: LiveContainer): Promise<void> {
    await this.alone(live, async () => {
      if (live.record.state.status !== 'paused')
        throw new StatusError('Conflict', `Container ${live.id} is not paused`);
      await this.#unfreeze(live);
    });
    this.#room.events.publish('container', 'unpause', live.id, eventAttributes(live.record));
  }

  async remove(
    live: LiveContainer,
    options: { readonly force: boolean; readonly volumes: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { status } = live.record.state;
    if (isRunning(live.record) || status === 'restarting') {
      if (!options.force)
        throw new StatusError(
          'Conflict',
          `cannot remove container "/${live.record.name}": container is ${status}: stop the container before removing or force remove`,
        );
      if (await this.#markStopped(live)) await this.#kill(live);
    }
    await this.alone(live, async () => {
      signal.throwIfAborted();
      if (isRunning(live.record)) throw new StatusError('Conflict', `container ${live.id} was started again meanwhile`);
      if (this.#room.table.find(live.id) !== live) return;
      await this.removeAlone(live, options.volumes);
    });
    live.tellRemoved();
  }

  /** Removes a container that does not run; the caller holds its lock. Goes on where an earlier removal was cut off. */
  async removeAlone(live: LiveContainer, volumes: boolean): Promise<void> {
    const { table, records, snapshots, events } = this.#room;
    cancelRestart(live);
    live.record = { ...live.record, removeVolumes: volumes, state: { ...live.record.state, status: 'removing' } };
    records.note(live.record);
    await snapshots.remove(live.id);
    rmSync(logFolder(this.#room, live.id), { recursive: true, force: true });
    await this.#releaseVolumes(live.record, volumes);
    if (live.record.spec.autoRemove) records.forget(live.id);
    else await records.remove(live.id);
    table.remove(live);
    events.publish('container', 'destroy', live.id, eventAttributes(live.record));
  }

  /** What follows a run's end: removal, a restart, or rest. Returns whether the container was removed. */
  async #finishRun(live: LiveContainer, end: RunEnd): Promise<boolean> {
    await endRun(this.#room, live, end);
    if (live.record.spec.autoRemove) {
      await this.removeAlone(live, true);
      return true;
    }
    await this.#restOrRestart(live);
    return false;
  }

  async #restOrRestart(live: LiveContainer): Promise<void> {
    const { spec, state, manuallyStopped, lastDelayMs } = live.record;
    const delayMs = restartDelayMs({
      policy: spec.restart,
      exitCode: state.exitCode,
      manuallyStopped,
      restartCount: state.restartCount,
      ranMs: Math.max(0, timeMs(state.finishedAt) - timeMs(state.startedAt)),
      lastDelayMs,
    });
    if (delayMs === undefined || this.#room.signal.aborted) {
      await this.#room.records.save(live.record);
      return;
    }
    live.record = { ...live.record, lastDelayMs: delayMs, state: { ...state, status: 'restarting' } };
    await this.#room.records.save(live.record);
    live.restartTimer = after(delayMs, () => void this.#restartByPolicy(live));
  }

  async #restartByPolicy(live: LiveContainer): Promise<void> {
    try {
      await this.alone(live, async () => {
        if (live.record.state.status !== 'restarting' || this.#room.signal.aborted) return;
        const { state } = live.record;
        live.record = { ...live.record, state: { ...state, restartCount: state.restartCount + 1 } };
        await this.#startAlone(live, this.#room.signal);
      });
    } catch (error) {
      this.#room.logger.warn('restart failed', { container: live.id, error });
      await this.alone(live, async () => {
        if (this.#room.table.find(live.id) === live && !isRunning(live.record)) await this.#restOrRestart(live);
      });
    }
  }

  async #startAlone(live: LiveContainer, signal: AbortSignal): Promise<void> {
    await startRun(this.#room, live, signal);
    watchHealth(this.#room, live);
    // Its end may have been written before anybody knew whose it is.
    if (this.#room.paths.hasExit(live.id)) void this.takeExit(live);
  }

  /** Notes that the user wants it stopped; false when there is nothing to stop any more. */
  async #markStopped(live: LiveContainer): Promise<boolean> {
    return this.alone(live, async () => {
      const { status } = live.record.state;
      if (status === 'restarting') {
        cancelRestart(live);
        live.record = { ...live.record, manuallyStopped: true, state: { ...live.record.state, status: 'exited' } };
        await this.#room.records.save(live.record);
        return false;
      }
      if (!isRunning(live.record)) return false;
      const { restart } = live.record.spec;
      live.record = { ...live.record, manuallyStopped: true };
      if (restart.name === 'no') this.#room.records.note(live.record);
      else await this.#room.records.save(live.record);
      return true;
    });
  }

  async #signal(live: LiveContainer, number: number): Promise<void> {
    const init = live.record.run?.init;
    if (init === undefined) return;
    killProcess(init, number);
    // A frozen process takes no signal.
    if (live.record.state.status === 'paused')
      await this.alone(live, async () => {
        if (live.record.state.status === 'paused') await this.#unfreeze(live);
      });
  }

  async #kill(live: LiveContainer): Promise<void> {
    const exit = live.addWaiter('next-exit', this.#room.signal);
    exit.catch(() => {});
    if (!isRunning(live.record)) return;
    await this.#signal(live, sigkill);
    await within(exit, killMs, this.#room.signal);
    if (isRunning(live.record)) await this.takeExit(live);
  }

  async #unfreeze(live: LiveContainer): Promise<void> {
    await runRuntime(this.#room, ['resume', live.id]);
    this.#note(live, { ...live.record, state: { ...live.record.state, status: 'running' } });
  }

  #note(live: LiveContainer, record: ContainerRecord): void {
    live.record = record;
    this.#room.records.note(record);
  }

  async #releaseVolumes(record: ContainerRecord, remove: boolean): Promise<void> {
    const { volumes } = this.#room;
    for (const { type, name } of record.mounts) {
      if (type !== 'volume') continue;
      volumes.release(name, record.id);
      if (!remove || volumes.find(name)?.anonymous !== true || volumes.holders(name).length > 0) continue;
      await volumes.remove(name, true);
    }
  }
}

function goingAway(live: LiveContainer): StatusError {
  return new StatusError('Conflict', `container ${live.id} is marked for removal and cannot be started`);
}

function cancelRestart(live: LiveContainer): void {
  live.restartTimer?.[Symbol.dispose]();
  live.restartTimer = undefined;
}

/** Waits for the promise, but not longer than that; throws when the signal aborts. */
async function within(exit: Promise<unknown>, durationMs: number, signal: AbortSignal): Promise<void> {
  const limit = deadline(durationMs, signal);
  await Promise.race([exit, sleep(durationMs, limit).catch(() => {})]);
  signal.throwIfAborted();
}

async function abortable(exit: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([exit, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
