import { StatusError } from '#base/errors.ts';
import type { IdMap } from '#formats/id-map.ts';

import type { Container, ContainerHealth } from './container.ts';
import type { Exec, ExitStatus, WaitCondition } from './containers.ts';
import type { ContainerRecord } from './record.ts';
import { StreamHub } from './stream-hub.ts';

/** An exec with what belongs to it while it runs. */
export interface LiveExec {
  value: Exec;
  readonly hub: StreamHub;
  /** Ends the watch for its exit. */
  watch: Disposable | undefined;
  /** Resolves with the exit code. */
  readonly ended: PromiseWithResolvers<number>;
}

export function newLiveExec(value: Exec): LiveExec {
  return {
    value,
    hub: new StreamHub({ closeStdinOnce: true }),
    watch: undefined,
    ended: Promise.withResolvers<number>(),
  };
}

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (status: ExitStatus) => void;
}

/**
 * A container in memory: its record, which is replaced and never changed, and what exists only while somebody looks or it
 * runs. Whoever changes the record holds the container's lock.
 */
export class LiveContainer {
  record: ContainerRecord;
  /** Connection to the standard streams of this run, or of the next when it does not run. */
  hub: StreamHub;
  /** Aborts when nothing is written to the log any more; a new one for each run. */
  finished = new AbortController();
  health: ContainerHealth | undefined;
  readonly execs = new Map<string, LiveExec>();
  /** Ends what goes along with a run: log rotation, health checks. */
  run: DisposableStack | undefined;
  restartTimer: Disposable | undefined;
  /** How the owners of files are mapped in the root filesystem as it is mounted now. */
  rootIds: IdMap | undefined;
  /** Who works on the mounted root filesystem besides a run. */
  rootUsers = 0;
  /** Resolves when the run that goes on now was taken down; a new one for each run. */
  ended = Promise.withResolvers<void>();
  /** Who needs the container after its end, also when it is to remove itself. */
  keepers = 0;
  /** It was stopped since the platform ends: its restart policy waits for the next start of that. */
  endsWithPlatform = false;
  readonly #waiters = new Set<Waiter>();

  constructor(record: ContainerRecord) {
    this.record = record;
    this.hub = hubFor(record);
    this.rootIds = record.run?.ids;
    if (record.run === undefined) this.finished.abort();
  }

  get id(): string {
    return this.record.id;
  }

  /** A fresh connection for the run that comes next. */
  renewHub(): void {
    this.hub = hubFor(this.record);
  }

  addWaiter(condition: WaitCondition, signal: AbortSignal): Promise<ExitStatus> {
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    const waiter = { condition, resolve };
    this.#waiters.add(waiter);
    const leave = (): void => {
      this.#waiters.delete(waiter);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', leave, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Tells those who wait for the end of a run. */
  tellExit(status: ExitStatus): void {
    this.#tell((condition) => condition !== 'removed', status);
  }

  tellRemoved(): void {
    this.#tell(() => true, this.lastExit);
  }

  /** How the last run ended. */
  get lastExit(): ExitStatus {
    return { exitCode: this.record.state.exitCode, error: this.record.state.error };
  }

  cancelRestart(): void {
    this.restartTimer?.[Symbol.dispose]();
    this.restartTimer = undefined;
  }

  #tell(isMeant: (condition: WaitCondition) => boolean, status: ExitStatus): void {
    for (const waiter of this.#waiters) {
      if (!isMeant(waiter.condition)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(status);
    }
  }
}

/** Docker's attributes of a container's events: image, name and all labels. */
export function eventAttributes(record: ContainerRecord): Readonly<Record<string, string>> {
  return { ...record.spec.labels, image: record.spec.imageName, name: record.name };
}

export function notRunning(live: LiveContainer): StatusError {
  return new StatusError('Conflict', `Container ${live.id} is not running`);
}

/** Where a container's files lie. */
type ContainerFiles = Pick<Container, 'logPath' | 'hostnamePath' | 'hostsPath' | 'resolvConfPath'>;

/** The container as a value for others. */
export function describe(live: LiveContainer, sandbox: Container['sandbox'], files: ContainerFiles): Container {
  const { id, name, createdAt, spec, mounts, state, run } = live.record;
  return {
    id,
    name,
    createdAt,
    spec,
    mounts,
    state: live.health === undefined ? state : { ...state, health: live.health },
    ...(run?.ids !== undefined && { ids: run.ids }),
    sandbox,
    ...files,
    execIds: [...live.execs.values()].filter(({ value }) => value.running).map(({ value }) => value.id),
  };
}

function hubFor(record: ContainerRecord): StreamHub {
  // A terminal stays usable for the next client, as in Docker.
  return new StreamHub({ closeStdinOnce: record.spec.stdinOnce && !record.spec.tty });
}
