import { after } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { KeyedLock } from '#base/keyed-lock.ts';
import { isAlive, kill as killProcess } from '#sys/process.ts';

import { awaitExit, endRun } from './end-run.ts';
import { healthOnFailure } from './health-on-failure.ts';
import { watchHealth } from './health.ts';
import { eventAttributes, type LiveContainer, notRunning } from './live-container.ts';
import { isRunning } from './record.ts';
import { removeContainer } from './removal.ts';
import { restartDelayMs } from './restart-policy.ts';
import type { Room } from './room.ts';
import { runRuntime } from './runtime-command.ts';
import { signalNumber } from './signals.ts';
import { startRun } from './start-run.ts';
import { timeMs } from './timestamps.ts';
import { settlesWithin, unlessAborted } from './waiting.ts';

const sigkill = 9;
/** After SIGKILL a process is gone but for a moment; longer means that it hangs in the kernel. */
const killMs = 30_000;
/** A reader of the output that is slower than this does not hold the exit status back. */
const outputMs = 2_000;
/** Longest wait of a stop without a limit; nobody's container takes longer to end. */
const noLimitMs = 2 ** 31 - 1;

export interface StopOptions {
  readonly timeoutSeconds?: number;
  readonly signal?: string;
  /** Not the user's wish: with the next start of the platform it runs again when its restart policy says so. */
  readonly platformEnds?: boolean;
}

/** Starts, stops and removes containers; one change of a container at a time. */
export class Lifecycle {
  readonly #room: Room;
  readonly #lock = new KeyedLock();
  /** Work that goes on without anybody waiting for it; bounded by the number of containers and their callers. */
  readonly #background = new Set<Promise<unknown>>();

  constructor(room: Room) {
    this.#room = room;
  }

  /** Runs `work` while nobody else changes the container. */
  async alone<T>(live: LiveContainer, work: () => Promise<T>): Promise<T> {
    return this.#follow(this.#lock.run(live.id, work));
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  /** Returns false when it runs already. */
  async start(live: LiveContainer, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#start(live, signal);
    } catch (error) {
      // Docker removes what was to be removed after its run, also when there was none; clients wait for that.
      const isKept = live.keepers > 0 || live.record.change !== undefined;
      if (live.record.spec.autoRemove && live.record.state.error !== '' && !isRunning(live.record) && !isKept) {
        live.tellExit({ exitCode: live.record.state.exitCode, error: '' });
        await this.remove(live, { force: false, volumes: true }, this.#room.signal);
      }
      throw error;
    }
  }

  /** The container's process ended: takes it up, in the background. Ends that were taken up already are ignored. */
  exitSeen(live: LiveContainer): void {
    this.#detached(live, this.#takeExit(live));
  }

  /** The container turned unhealthy: does what its label says, in the background. */
  unhealthySeen(live: LiveContainer): void {
    if (live.record.manuallyStopped) return;
    const action = healthOnFailure(live.record.spec.labels);
    if (action !== 'none') this.#room.logger.info('unhealthy container', { container: live.id, action });
    // Killed it is not stopped by the user: its restart policy decides.
    if (action === 'kill') this.#detached(live, this.#kill(live));
    if (action === 'stop') this.#detached(live, this.stop(live, {}, this.#room.signal));
    if (action === 'restart') this.#detached(live, this.#restartUnhealthy(live));
  }

  /**
   * Returns false when it does not run. What was begun goes on when `abort` aborts: a container that was told to end does
   * not run on because its client went.
   */
  async stop(live: LiveContainer, options: StopOptions, abort: AbortSignal): Promise<boolean> {
    const { spec } = live.record;
    const number = signalNumber(options.signal ?? (spec.stopSignal || 'SIGTERM'));
    const seconds = options.timeoutSeconds ?? spec.stopTimeoutSeconds;
    const marked = options.platformEnds === true ? this.#markEnding(live) : this.#markStopped(live);
    return unlessAborted(this.#follow(this.#stop(live, marked, number, seconds)), abort);
  }

  /** Stops it when it runs, and starts it; it is not removed in between, even when it is to remove itself. */
  async restart(live: LiveContainer, options: StopOptions, abort: AbortSignal): Promise<void> {
    live.keepers += 1;
    try {
      await this.stop(live, options, abort);
      await this.start(live, abort);
    } finally {
      live.keepers -= 1;
    }
    this.#room.events.publish('container', 'restart', live.id, eventAttributes(live.record));
  }

  /** With SIGKILL it has ended when this resolves. */
  async kill(live: LiveContainer, signalName: string): Promise<void> {
    const number = signalNumber(signalName === '' ? 'SIGKILL' : signalName);
    if (!isRunning(live.record))
      throw new StatusError(
        'Conflict',
        `cannot kill container: ${live.record.name}: container ${live.id} is not running`,
      );
    const { stopSignal } = live.record.spec;
    if (number === sigkill || number === signalNumber(stopSignal || 'SIGTERM')) await this.#markStopped(live);
    if (number === sigkill) await this.#follow(this.#kill(live));
    else await this.#signal(live, number);
  }

  async pause(live: LiveContainer): Promise<void> {
    await this.alone(live, async () => {
      if (live.record.state.status === 'paused')
        throw new StatusError('Conflict', `Container ${live.id} is already paused`);
      if (!isRunning(live.record)) throw notRunning(live);
      try {
        await runRuntime(this.#room, live.record, ['pause']);
      } catch (error) {
        // It may have frozen it, and failed to write that down.
        await runRuntime(this.#room, live.record, ['resume']).catch(() => {});
        throw error;
      }
      this.#setStatus(live, 'paused');
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
    let isRemoved = false;
    while (!isRemoved) {
      if (isRunning(live.record) || live.record.state.status === 'restarting') {
        if (!options.force) throw stopFirst(live);
        await this.#killForGood(live);
      }
      isRemoved = await this.alone(live, async () => {
        signal.throwIfAborted();
        // It was started between the look and its turn.
        if (isRunning(live.record)) return false;
        if (this.#room.table.find(live.id) === live) await removeContainer(this.#room, live, options.volumes);
        return true;
      });
    }
    live.tellRemoved();
  }

  /** Noted beforehand, since nobody would ask for it again when this process dies in between. */
  async #restartUnhealthy(live: LiveContainer): Promise<void> {
    await this.alone(live, async () => {
      live.record = { ...live.record, startsAgain: true };
      await this.#room.records.save(live.record);
    });
    await this.restart(live, {}, this.#room.signal);
  }

  async #killForGood(live: LiveContainer): Promise<void> {
    live.keepers += 1;
    try {
      if (await this.#markStopped(live)) await this.#follow(this.#kill(live));
    } finally {
      live.keepers -= 1;
    }
  }

  async #start(live: LiveContainer, signal: AbortSignal): Promise<boolean> {
    return this.alone(live, async () => {
      const { status } = live.record.state;
      if (status === 'paused')
        throw new StatusError('Conflict', 'cannot start a paused container, try unpause instead');
      if (status === 'removing' || this.#room.table.find(live.id) !== live)
        throw new StatusError('Conflict', `container ${live.id} is marked for removal and cannot be started`);
      if (isRunning(live.record)) return false;
      live.cancelRestart();
      live.endsWithPlatform = false;
      live.record = {
        ...live.record,
        manuallyStopped: false,
        startsAgain: false,
        lastDelayMs: 0,
        state: { ...live.record.state, restartCount: 0 },
      };
      await this.#startAlone(live, signal);
      return true;
    });
  }

  async #takeExit(live: LiveContainer): Promise<void> {
    const { hub } = live;
    const wasRemoved = await this.#lock.run(live.id, async () => {
      if (live.record.run?.init === undefined || hub !== live.hub) return undefined;
      await endRun(this.#room, live, await awaitExit(this.#room, live.record));
      live.ended.resolve();
      if (!live.record.spec.autoRemove || live.keepers > 0) {
        await this.#restOrRestart(live, ranMs(live));
        return false;
      }
      await removeContainer(this.#room, live, true);
      return true;
    });
    if (wasRemoved === undefined) return;
    // The status is told after the output, when somebody reads it.
    await settlesWithin(hub.delivered, outputMs, this.#room.signal).catch(() => {});
    live.tellExit({ exitCode: live.record.state.exitCode, error: live.record.state.error });
    if (wasRemoved) live.tellRemoved();
  }

  async #stop(live: LiveContainer, marked: Promise<boolean>, number: number, seconds: number): Promise<boolean> {
    if (!(await marked)) return false;
    const ended = live.ended.promise;
    await this.#signal(live, number);
    const limitMs = seconds < 0 ? noLimitMs : Math.min(seconds * 1000, noLimitMs);
    if (!(await settlesWithin(ended, limitMs, this.#room.signal))) await this.#kill(live);
    this.#room.events.publish('container', 'stop', live.id, eventAttributes(live.record));
    return true;
  }

  async #kill(live: LiveContainer): Promise<void> {
    const init = live.record.run?.init;
    const ended = live.ended.promise;
    if (!isRunning(live.record) || init === undefined) return;
    await this.#signal(live, sigkill);
    if (await settlesWithin(ended, killMs, this.#room.signal)) return;
    if (!isAlive(init)) await this.#takeExit(live);
    else if (isRunning(live.record))
      throw new StatusError(
        'Unavailable',
        `Cannot kill container "${live.record.name}": its process ${String(init.pid)} did not end on SIGKILL; it waits in the kernel, for a disk or a network filesystem perhaps`,
      );
  }

  /** After the end of a run, or a restart that failed: starts it again after a while when its policy says so. */
  async #restOrRestart(live: LiveContainer, ranMs: number): Promise<void> {
    const { spec, state, manuallyStopped, lastDelayMs } = live.record;
    const policyDelayMs = restartDelayMs({
      policy: spec.restart,
      exitCode: state.exitCode,
      manuallyStopped,
      restartCount: state.restartCount,
      ranMs,
      lastDelayMs,
    });
    const delayMs = live.endsWithPlatform ? undefined : policyDelayMs;
    if (delayMs !== undefined)
      live.record = { ...live.record, lastDelayMs: delayMs, state: { ...state, status: 'restarting' } };
    await this.#room.records.saveFact(live.record);
    if (delayMs === undefined || this.#room.signal.aborted) return;
    live.restartTimer = after(delayMs, () => this.#detached(live, this.#restartByPolicy(live)));
  }

  async #restartByPolicy(live: LiveContainer): Promise<void> {
    await this.#lock.run(live.id, async () => {
      if (live.record.state.status !== 'restarting' || this.#room.signal.aborted) return;
      const { state } = live.record;
      live.record = { ...live.record, state: { ...state, restartCount: state.restartCount + 1 } };
      try {
        await this.#startAlone(live, this.#room.signal);
      } catch (error) {
        this.#room.logger.warn('restart failed', { container: live.id, error });
        await this.#restOrRestart(live, 0);
      }
    });
  }

  async #startAlone(live: LiveContainer, signal: AbortSignal): Promise<void> {
    await startRun(this.#room, live, signal);
    watchHealth(this.#room, live, () => this.unhealthySeen(live));
    // Its end may have been written before anybody knew whose it is.
    if (this.#room.paths.hasExit(live.id)) this.exitSeen(live);
  }

  /** Notes that the user wants it stopped; false when there is nothing to stop any more. */
  async #markStopped(live: LiveContainer): Promise<boolean> {
    return this.alone(live, async () => {
      const { status } = live.record.state;
      if (status === 'restarting') {
        live.cancelRestart();
        live.record = { ...live.record, manuallyStopped: true, state: { ...live.record.state, status: 'exited' } };
        await this.#room.records.saveFact(live.record);
        return false;
      }
      if (!isRunning(live.record)) return false;
      const { restart } = live.record.spec;
      live.record = { ...live.record, manuallyStopped: true };
      if (restart.name === 'no') this.#room.records.noteFact(live.record);
      else await this.#room.records.saveFact(live.record);
      return true;
    });
  }

  /** Notes that it ends since the platform does; false when there is nothing to stop. */
  async #markEnding(live: LiveContainer): Promise<boolean> {
    return this.alone(live, async () => {
      live.endsWithPlatform = true;
      return isRunning(live.record);
    });
  }

  async #signal(live: LiveContainer, number: number): Promise<void> {
    const init = live.record.run?.init;
    if (init === undefined) return;
    killProcess(init, number);
    const attributes = { ...eventAttributes(live.record), signal: String(number) };
    this.#room.events.publish('container', 'kill', live.id, attributes);
    // A frozen process takes no signal.
    if (live.record.state.status === 'paused')
      await this.alone(live, async () => {
        if (live.record.state.status === 'paused') await this.#unfreeze(live);
      });
  }

  async #unfreeze(live: LiveContainer): Promise<void> {
    await runRuntime(this.#room, live.record, ['resume']);
    this.#setStatus(live, 'running');
  }

  /** In memory alone: after a restart of this process the cgroup tells. */
  #setStatus(live: LiveContainer, status: 'running' | 'paused'): void {
    live.record = { ...live.record, state: { ...live.record.state, status } };
  }

  #detached(live: LiveContainer, work: Promise<unknown>): void {
    this.#follow(work).catch((error: unknown) => {
      if (!this.#room.signal.aborted) this.#room.logger.error('container failed', { container: live.id, error });
    });
  }

  async #follow<T>(work: Promise<T>): Promise<T> {
    this.#background.add(work);
    try {
      return await work;
    } finally {
      this.#background.delete(work);
    }
  }
}

/** Milliseconds that the last run took. */
function ranMs({ record: { state } }: LiveContainer): number {
  return Math.max(0, timeMs(state.finishedAt) - timeMs(state.startedAt));
}

function stopFirst({ record }: LiveContainer): StatusError {
  return new StatusError(
    'Conflict',
    `cannot remove container "/${record.name}": container is ${record.state.status}: stop the container before removing or force remove`,
  );
}
