import type { IdMap } from '#formats/id-map.ts';
import type { CgroupStats } from '#sys/cgroup-stats.ts';
import type { LogQuery, LogRecord } from '../logs/container-log.ts';
import type { EndpointRequest } from '../network/networks.ts';
import type { Change } from '../snapshots/snapshots.ts';
import type { Container, ContainerSpec, ResourceLimits, RestartPolicy } from './container.ts';

/** Work in a mounted root; `ids`: its owners are mapped so, as for a container with a user namespace of its own. */
export type RootWork<T> = (root: string, ids: IdMap | undefined) => Promise<T>;

/** One piece of a container's output. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** A live connection to a process's standard streams. */
export interface Attachment extends AsyncDisposable {
  /** Ends when the process has ended and all its output was delivered. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Resolves when the bytes were handed to the process. */
  write(bytes: Uint8Array): Promise<void>;
  /** The client sends no more: the process's stdin is closed when its spec says so. */
  closeStdin(): void;
}

export interface ExecSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** '' = the container's. */
  readonly cwd: string;
  readonly user: string;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly privileged: boolean;
  /** What the face that created it wants to find again; opaque to the engine. */
  readonly origin?: unknown;
}

export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly spec: ExecSpec;
  readonly running: boolean;
  readonly exitCode: number | undefined;
  readonly pid: number;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface ExitStatus {
  readonly exitCode: number;
  readonly error: string;
}

export interface ContainerStats extends CgroupStats {
  readonly networks: Readonly<Record<string, InterfaceStats>>;
}

export interface InterfaceStats {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

export interface ReplaceOptions {
  /** The new one runs and is ready before the old one ends; else the old one ends first. */
  readonly startFirst: boolean;
  /** How long the new one may take to become ready. */
  readonly readyMs: number;
  /** How long connections to the old one may go on. */
  readonly drainMs: number;
  readonly onProgress: (text: string) => void;
}

/**
 * The containers of this machine, each run by runc and held by conmon, so that they outlive this process. Names
 * (`nameOrId`) are a name, an ID or a unique prefix of it; unknown ones throw NotFound `No such container: <name>`.
 * What a promise acknowledged is durable.
 */
export interface Containers {
  get(nameOrId: string): Container;
  find(nameOrId: string): Container | undefined;
  list(): readonly Container[];

  /** Conflict for a taken name, InvalidArgument for a bad one; `name` undefined: one is made up. */
  create(name: string | undefined, spec: ContainerSpec, signal: AbortSignal): Promise<Container>;
  /** Returns false when it runs already. A failure leaves it `created`/`exited` with `state.error` and code 126, 127 or 128. */
  start(nameOrId: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Returns false when it does not run. `timeoutSeconds` -1: wait for ever; undefined: the spec's. `platformEnds`: it is not
   * the user's wish, so its restart policy decides at the next start of the platform.
   */
  stop(
    nameOrId: string,
    options: { readonly timeoutSeconds?: number; readonly signal?: string; readonly platformEnds?: boolean },
    abort: AbortSignal,
  ): Promise<boolean>;
  restart(
    nameOrId: string,
    options: { readonly timeoutSeconds?: number; readonly signal?: string },
    abort: AbortSignal,
  ): Promise<void>;
  /** Conflict `container <id> is not running` when it is not. */
  kill(nameOrId: string, signalName: string): Promise<void>;
  pause(nameOrId: string): Promise<void>;
  unpause(nameOrId: string): Promise<void>;
  rename(nameOrId: string, name: string): Promise<void>;
  update(
    nameOrId: string,
    change: { readonly limits?: ResourceLimits; readonly restart?: RestartPolicy },
  ): Promise<void>;
  /**
   * Gives a container another spec: at once when only published ports differ, else by a new run of the same container, or
   * by another container in its place (with another image, or `startFirst`). Returns the one that has the name now. When
   * it does not start or become ready the container is as before, and Unavailable is thrown.
   */
  change(nameOrId: string, spec: ContainerSpec, options: ReplaceOptions, signal: AbortSignal): Promise<Container>;
  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly volumes: boolean },
    signal: AbortSignal,
  ): Promise<void>;

  /** Resolves with the exit status; registered before it returns, so that a start right after cannot be missed. */
  wait(nameOrId: string, condition: WaitCondition, signal: AbortSignal): Promise<ExitStatus>;
  /** Works on created (waits for the start) and running containers. */
  attach(nameOrId: string, options: { readonly stdin: boolean }, signal: AbortSignal): Promise<Attachment>;
  resize(nameOrId: string, rows: number, columns: number): Promise<void>;
  /** What it printed, in pieces as they are read. */
  logs(nameOrId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<readonly LogRecord[]>;
  top(
    nameOrId: string,
    psArgs: string,
  ): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }>;
  stats(nameOrId: string): ContainerStats;
  changes(nameOrId: string, signal: AbortSignal): Promise<readonly Change[]>;
  /** Runs `work` with the absolute path of the container's root filesystem, mounted for as long. */
  withRoot<T>(nameOrId: string, work: RootWork<T>): Promise<T>;
  /** The same with volumes and binds over it, as the processes of a container that does not run would see it. */
  withFiles<T>(nameOrId: string, work: RootWork<T>, signal: AbortSignal): Promise<T>;

  connect(nameOrId: string, endpoint: EndpointRequest, signal: AbortSignal): Promise<void>;
  disconnect(nameOrId: string, network: string, force: boolean, signal: AbortSignal): Promise<void>;

  createExec(nameOrId: string, spec: ExecSpec): Exec;
  /** Throws NotFound `No such exec instance: <id>`. */
  exec(execId: string): Exec;
  /** Starts it and attaches; a command that cannot be started makes exit code 126 or 127 with a message as output. */
  startExec(execId: string, options: { readonly detach: boolean }, signal: AbortSignal): Promise<Attachment>;
  resizeExec(execId: string, rows: number, columns: number): Promise<void>;

  /** At start: sees which containers still run, takes exits up that happened meanwhile, restarts by policy. */
  reconcile(signal: AbortSignal): Promise<void>;
}
