import { StatusError } from '#base/errors.ts';
import { every } from '#base/clock.ts';
import { hasCode } from '#sys/errno.ts';
import { isAlive, kill } from '#sys/process.ts';

import type { LogQuery, LogRecord } from '../logs/container-log.ts';
import { currentLogPath } from '../logs/log-files.ts';
import { parseLogOptions } from '../logs/options/parse-log-options.ts';
import { readLog } from '../logs/read-log.ts';
import type { EndpointRequest } from '../network/networks.ts';
import type { Change } from '../snapshots/snapshots.ts';
import { changeSpec } from './change-spec.ts';
import { changeContainer, type ContainerChange } from './change-container.ts';
import type { Container, ContainerSpec } from './container.ts';
import type {
  Attachment,
  Containers,
  ContainerStats,
  Exec,
  ExecSpec,
  ExitStatus,
  ReplaceOptions,
  RootWork,
  WaitCondition,
} from './containers.ts';
import { createExec, requireExec, startExec } from './execs.ts';
import { type FileView, openFileView } from './file-view.ts';
import { Lifecycle, type StopOptions } from './lifecycle.ts';
import { describe, eventAttributes, type LiveContainer } from './live-container.ts';
import { connectLive, disconnectLive } from './live-networks.ts';
import { checkName } from './names.ts';
import { createContainer } from './create-container.ts';
import { isRunning } from './record.ts';
import { reconcile } from './reconcile.ts';
import { closeMounts } from './resolve-mounts.ts';
import { parentCgroup, type Room } from './room.ts';
import { resizeTerminal } from './terminal.ts';
import { logFolder } from './run-log.ts';
import { sandboxFilePath, writeSandboxFiles } from './start-run.ts';
import { statsOf, topOf } from './usage.ts';
import { visibleChanges } from './visible-changes.ts';

/** How often it is looked whether a conmon died without a word. */
const holderLookMs = 5_000;

/** The containers of this machine. See `Containers` for what each method promises. */
export class LocalContainers implements Containers, AsyncDisposable {
  readonly #room: Room;
  readonly #lifecycle: Lifecycle;
  readonly #closing: AbortController;
  readonly #owned = new DisposableStack();

  constructor(room: Room, closing: AbortController) {
    this.#room = room;
    this.#closing = closing;
    this.#lifecycle = new Lifecycle(room);
    this.#owned.use(room.arrivals);
    this.#owned.use(room.arrivals.watch(room.paths.exits, (name) => this.#onExit(name)));
    this.#owned.use(room.networks.onFiles((id, files) => this.#onFiles(id, files)));
    this.#owned.use(every(holderLookMs, () => this.#lookForLostHolders()));
  }

  get(nameOrId: string): Container {
    return this.#describe(this.#room.table.get(nameOrId));
  }

  find(nameOrId: string): Container | undefined {
    const live = this.#room.table.find(nameOrId);
    return live === undefined ? undefined : this.#describe(live);
  }

  list(): readonly Container[] {
    return [...this.#room.table.values()].map((live) => this.#describe(live));
  }

  async create(name: string | undefined, spec: ContainerSpec, signal: AbortSignal): Promise<Container> {
    const live = await createContainer(this.#room, name, spec, {}, signal);
    this.#room.events.publish('container', 'create', live.id, eventAttributes(live.record));
    return this.#describe(live);
  }

  async start(nameOrId: string, signal: AbortSignal): Promise<boolean> {
    return this.#lifecycle.start(this.#room.table.get(nameOrId), signal);
  }

  async stop(nameOrId: string, options: StopOptions, abort: AbortSignal): Promise<boolean> {
    return this.#lifecycle.stop(this.#room.table.get(nameOrId), options, abort);
  }

  async restart(nameOrId: string, options: StopOptions, abort: AbortSignal): Promise<void> {
    await this.#lifecycle.restart(this.#room.table.get(nameOrId), options, abort);
  }

  async kill(nameOrId: string, signalName: string): Promise<void> {
    await this.#lifecycle.kill(this.#room.table.get(nameOrId), signalName);
  }

  async pause(nameOrId: string): Promise<void> {
    await this.#lifecycle.pause(this.#room.table.get(nameOrId));
  }

  async unpause(nameOrId: string): Promise<void> {
    await this.#lifecycle.unpause(this.#room.table.get(nameOrId));
  }

  async rename(nameOrId: string, name: string): Promise<void> {
    const live = this.#room.table.get(nameOrId);
    const wanted = checkName(name);
    await this.#lifecycle.alone(live, async () => {
      const { name: oldName } = live.record;
      if (wanted === oldName)
        throw new StatusError('InvalidArgument', 'Renaming a container with the same name as its current name');
      this.#room.table.reserve(wanted, live.id);
      try {
        await this.#room.records.save({ ...live.record, name: wanted });
      } catch (error) {
        this.#room.table.release(wanted, live.id);
        throw error;
      }
      live.record = { ...live.record, name: wanted };
      this.#room.table.release(oldName, live.id);
      if (isRunning(live.record)) await this.#room.networks.rename(live.id, wanted);
      const attributes = { ...eventAttributes(live.record), oldName: `/${oldName}` };
      this.#room.events.publish('container', 'rename', live.id, attributes);
    });
  }

  async update(nameOrId: string, change: ContainerChange): Promise<void> {
    const live = this.#room.table.get(nameOrId);
    await this.#lifecycle.alone(live, () => changeContainer(this.#room, live, change));
  }

  async change(
    nameOrId: string,
    spec: ContainerSpec,
    options: ReplaceOptions,
    signal: AbortSignal,
  ): Promise<Container> {
    const live = this.#room.table.get(nameOrId);
    const next = await changeSpec(this.#room, this.#lifecycle, live, spec, options, signal);
    return this.#describe(next);
  }

  async remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly volumes: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#lifecycle.remove(this.#room.table.get(nameOrId), options, signal);
  }

  async wait(nameOrId: string, condition: WaitCondition, signal: AbortSignal): Promise<ExitStatus> {
    const live = this.#room.table.get(nameOrId);
    const runs = isRunning(live.record) || live.record.state.status === 'restarting';
    if (condition === 'not-running' && !runs) return live.lastExit;
    return live.addWaiter(condition, signal);
  }

  async attach(nameOrId: string, options: { readonly stdin: boolean }, signal: AbortSignal): Promise<Attachment> {
    signal.throwIfAborted();
    const live = this.#room.table.get(nameOrId);
    if (live.record.state.status === 'paused')
      throw new StatusError('Conflict', `You cannot attach to a paused container, unpause it first`);
    this.#room.events.publish('container', 'attach', live.id, eventAttributes(live.record));
    return live.hub.attach({ stdin: options.stdin && live.record.spec.openStdin });
  }

  async resize(nameOrId: string, rows: number, columns: number): Promise<void> {
    const live = this.#room.table.get(nameOrId);
    if (!isRunning(live.record)) throw new StatusError('Conflict', `Container ${live.id} is not running`);
    resizeTerminal(this.#room.paths.bundle(live.id).control, rows, columns);
    const attributes = { ...eventAttributes(live.record), height: String(rows), width: String(columns) };
    this.#room.events.publish('container', 'resize', live.id, attributes);
  }

  logs(nameOrId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<readonly LogRecord[]> {
    const live = this.#room.table.get(nameOrId);
    if (!parseLogOptions(live.record.spec.log).readable)
      throw new StatusError('NotSupported', 'configured logging driver does not support reading');
    return readLog({ folder: logFolder(this.#room, live.id), finished: live.finished.signal }, query, signal);
  }

  async top(
    nameOrId: string,
    psArgs: string,
  ): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }> {
    return topOf(this.#room, this.#room.table.get(nameOrId), psArgs);
  }

  stats(nameOrId: string): ContainerStats {
    return statsOf(this.#room, this.#room.table.get(nameOrId));
  }

  async changes(nameOrId: string, signal: AbortSignal): Promise<readonly Change[]> {
    return visibleChanges(await this.#room.snapshots.changes(this.#room.table.get(nameOrId).id, signal));
  }

  async withRoot<T>(nameOrId: string, work: RootWork<T>): Promise<T> {
    return this.#withMounted(nameOrId, async (root) => ({ path: root, [Symbol.dispose]: () => {} }), work);
  }

  async withFiles<T>(nameOrId: string, work: RootWork<T>, signal: AbortSignal): Promise<T> {
    const view = (root: string, live: LiveContainer): Promise<FileView> =>
      openFileView(this.#room, live.record, root, signal);
    return this.#withMounted(nameOrId, view, work);
  }

  /** `open` runs under the container's lock: what it mounts is not in the way of a start. */
  async #withMounted<T>(
    nameOrId: string,
    open: (root: string, live: LiveContainer) => Promise<FileView>,
    work: RootWork<T>,
  ): Promise<T> {
    const live = this.#room.table.get(nameOrId);
    const { snapshots } = this.#room;
    live.rootUsers += 1;
    try {
      using view = await this.#lifecycle.alone(live, async () => open(snapshots.mount(live.id), live));
      return await work(view.path, live.rootIds);
    } finally {
      live.rootUsers -= 1;
      await this.#lifecycle.alone(live, async () => {
        if (live.rootUsers > 0 || live.record.run !== undefined) return;
        snapshots.unmount(live.id);
        live.rootIds = undefined;
        await closeMounts(this.#room, live.record);
      });
    }
  }

  async connect(nameOrId: string, endpoint: EndpointRequest, signal: AbortSignal): Promise<void> {
    const live = this.#room.table.get(nameOrId);
    await this.#lifecycle.alone(live, () => connectLive(this.#room, live, endpoint, signal));
  }

  async disconnect(nameOrId: string, network: string, force: boolean, signal: AbortSignal): Promise<void> {
    const live = this.#room.table.get(nameOrId);
    await this.#lifecycle.alone(live, () => disconnectLive(this.#room, live, network, force, signal));
  }

  createExec(nameOrId: string, spec: ExecSpec): Exec {
    return createExec(this.#room, this.#room.table.get(nameOrId), spec);
  }

  exec(execId: string): Exec {
    return requireExec(this.#room, execId).exec.value;
  }

  async startExec(execId: string, options: { readonly detach: boolean }, signal: AbortSignal): Promise<Attachment> {
    signal.throwIfAborted();
    const { exec, live } = requireExec(this.#room, execId);
    return startExec(this.#room, live, exec, options);
  }

  async resizeExec(execId: string, rows: number, columns: number): Promise<void> {
    const { exec, live } = requireExec(this.#room, execId);
    if (!exec.value.running) throw new StatusError('Conflict', `exec ${execId} is not running`);
    resizeTerminal(`${this.#room.paths.bundle(live.id).execs}/${execId}/ctl`, rows, columns);
  }

  async reconcile(signal: AbortSignal): Promise<void> {
    await reconcile(this.#room, this.#lifecycle, signal);
  }

  /** Ends what goes on in the background; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#owned.dispose();
    for (const live of this.#room.table.values()) live.cancelRestart();
    await this.#lifecycle.idle();
    await this.#room.shippers[Symbol.asyncDispose]();
    for (const live of this.#room.table.values()) {
      live.run?.dispose();
      live.hub.finish();
      for (const exec of live.execs.values()) exec.hub.finish();
    }
    if (![...this.#room.table.values()].some((live) => isRunning(live.record)))
      this.#room.cgroups.remove(parentCgroup(this.#room.instance));
  }

  #describe(live: LiveContainer): Container {
    const bundle = this.#room.paths.bundle(live.id);
    const runs = isRunning(live.record);
    const { log } = live.record.spec;
    return describe(live, runs ? this.#room.networks.sandbox(live.id) : undefined, {
      logPath: log.driver === 'json-file' ? currentLogPath(logFolder(this.#room, live.id)) : '',
      hostnamePath: sandboxFilePath(bundle, 'hostname'),
      hostsPath: sandboxFilePath(bundle, 'hosts'),
      resolvConfPath: sandboxFilePath(bundle, 'resolvConf'),
    });
  }

  #onExit(name: string | undefined): void {
    const lives = name === undefined ? [...this.#room.table.values()] : [this.#room.table.find(name)];
    for (const live of lives)
      if (live !== undefined && this.#room.paths.hasExit(live.id)) this.#lifecycle.exitSeen(live);
  }

  /** A conmon that was killed writes nothing, and what it held has nobody to write to: it ends too. */
  #lookForLostHolders(): void {
    for (const live of this.#room.table.values()) {
      const { run } = live.record;
      if (run?.init === undefined || (run.holder !== undefined && isAlive(run.holder))) continue;
      if (this.#room.paths.hasExit(live.id)) continue;
      this.#room.logger.warn('conmon of a container was lost', { container: live.id });
      kill(run.init, 'SIGKILL');
      this.#lifecycle.exitSeen(live);
    }
  }

  #onFiles(id: string, files: Parameters<typeof writeSandboxFiles>[1]): void {
    try {
      if (this.#room.table.find(id) !== undefined) writeSandboxFiles(this.#room.paths.bundle(id), files);
    } catch (error) {
      // It ended meanwhile: its files are gone with it.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}
