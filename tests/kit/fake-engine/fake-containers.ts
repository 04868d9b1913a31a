import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { EventLog } from '#engine/events/event-log.ts';
import type { LogRecord } from '#engine/logs/container-log.ts';
import type { Container, ContainerSpec, ContainerState } from '#engine/runtime/container.ts';
import type { Attachment, Containers, ContainerStats, Exec, ExitStatus, RootWork } from '#engine/runtime/containers.ts';

import { FakeProcess } from './fake-process.ts';

interface Entry {
  container: Container;
  process: FakeProcess;
  exitListeners: ((status: ExitStatus) => void)[];
  removeListeners: ((status: ExitStatus) => void)[];
}

interface ExecEntry {
  exec: Exec;
  readonly process: FakeProcess;
}

const never = '0001-01-01T00:00:00Z';
const counts = {
  rxBytes: 1,
  rxPackets: 2,
  rxErrors: 3,
  rxDropped: 4,
  txBytes: 5,
  txPackets: 6,
  txErrors: 7,
  txDropped: 8,
};

/** Containers whose processes are played by `FakeProcess`. */
export class FakeContainers implements Containers {
  readonly #entries = new Map<string, Entry>();
  readonly #execs = new Map<string, ExecEntry>();
  readonly #events: EventLog;
  /** What was asked of the engine, for assertions. */
  readonly calls: string[] = [];
  /** Root of every container, a folder of the test. */
  root = '/nowhere';
  memoryLimitBytes = 65_536;

  constructor(events: EventLog) {
    this.#events = events;
  }

  get(nameOrId: string): Container {
    return this.#entry(nameOrId).container;
  }

  find(nameOrId: string): Container | undefined {
    return this.#find(nameOrId)?.container;
  }

  list(): readonly Container[] {
    return [...this.#entries.values()].map(({ container }) => container);
  }

  /** The process of a container, to play it. */
  processOf(nameOrId: string): FakeProcess {
    return this.#entry(nameOrId).process;
  }

  execProcess(id: string): FakeProcess {
    return this.#execEntry(id).process;
  }

  setState(nameOrId: string, state: Partial<ContainerState>): void {
    const entry = this.#entry(nameOrId);
    entry.container = { ...entry.container, state: { ...entry.container.state, ...state } };
  }

  /** Changes a container as the engine would not, for tests of what is shown. */
  patch(nameOrId: string, change: Partial<Container>): void {
    const entry = this.#entry(nameOrId);
    entry.container = { ...entry.container, ...change };
  }

  killAll(): void {
    for (const { process } of this.#entries.values()) process.end(137);
    for (const { process } of this.#execs.values()) process.end(137);
  }

  async create(name: string | undefined, spec: ContainerSpec): Promise<Container> {
    const id = newId();
    const chosen = name ?? `fake_${id.slice(0, 6)}`;
    if (this.list().some((container) => container.name === chosen)) {
      throw new StatusError('Conflict', `Conflict. The container name "/${chosen}" is already in use`);
    }
    const container: Container = {
      id,
      name: chosen,
      createdAt: new Date(Number(nowNs() / 1_000_000n)).toISOString(),
      spec,
      state: {
        status: 'created',
        pid: 0,
        exitCode: 0,
        error: '',
        oomKilled: false,
        startedAt: never,
        finishedAt: never,
        restartCount: 0,
      },
      mounts: [],
      sandbox: undefined,
      logPath: `/logs/${id}`,
      hostnamePath: `/run/${id}/hostname`,
      hostsPath: `/run/${id}/hosts`,
      resolvConfPath: `/run/${id}/resolv.conf`,
      execIds: [],
    };
    this.#entries.set(id, {
      container,
      process: new FakeProcess(spec.args),
      exitListeners: [],
      removeListeners: [],
    });
    this.#publish('create', container);
    return container;
  }

  async start(nameOrId: string): Promise<boolean> {
    const entry = this.#entry(nameOrId);
    if (entry.container.state.status === 'running') return false;
    if (entry.container.state.status === 'exited') entry.process = new FakeProcess(entry.container.spec.args);
    const { process } = entry;
    this.setState(nameOrId, {
      status: 'running',
      pid: 4242,
      startedAt: new Date(Number(nowNs() / 1_000_000n)).toISOString(),
    });
    this.#publish('start', entry.container);
    void process.exit.promise.then((exitCode) => this.#onExit(entry, exitCode));
    process.start();
    return true;
  }

  async stop(
    nameOrId: string,
    options: { readonly timeoutSeconds?: number; readonly signal?: string },
  ): Promise<boolean> {
    this.calls.push(`stop ${JSON.stringify(options)}`);
    const entry = this.#entry(nameOrId);
    if (entry.container.state.status !== 'running') return false;
    entry.process.end(143);
    await entry.process.exit.promise;
    return true;
  }

  async restart(nameOrId: string, options: object): Promise<void> {
    this.calls.push(`restart ${JSON.stringify(options)}`);
    await this.stop(nameOrId, {});
    await this.start(nameOrId);
  }

  async kill(nameOrId: string, signalName: string): Promise<void> {
    this.calls.push(`kill ${signalName}`);
    const { container, process } = this.#entry(nameOrId);
    if (container.state.status !== 'running') {
      throw new StatusError('Conflict', `container ${container.id} is not running`);
    }
    process.end(137);
  }

  async pause(nameOrId: string): Promise<void> {
    this.setState(nameOrId, { status: 'paused' });
  }

  async unpause(nameOrId: string): Promise<void> {
    this.setState(nameOrId, { status: 'running' });
  }

  async rename(nameOrId: string, name: string): Promise<void> {
    this.patch(nameOrId, { name });
  }

  async update(nameOrId: string, change: Pick<Partial<ContainerSpec>, 'limits' | 'restart'>): Promise<void> {
    this.patch(nameOrId, { spec: { ...this.get(nameOrId).spec, ...change } });
  }

  async change(nameOrId: string, spec: ContainerSpec): Promise<Container> {
    this.patch(nameOrId, { spec });
    return this.get(nameOrId);
  }

  async remove(nameOrId: string, options: { readonly force: boolean; readonly volumes: boolean }): Promise<void> {
    this.calls.push(`remove ${JSON.stringify(options)}`);
    const entry = this.#entry(nameOrId);
    const { id, state } = entry.container;
    if (state.status === 'running' && !options.force) {
      throw new StatusError('Conflict', `cannot remove container "${entry.container.name}": container is running`);
    }
    entry.process.end(137);
    this.#entries.delete(id);
    for (const listener of entry.removeListeners) listener({ exitCode: state.exitCode, error: '' });
    this.#publish('destroy', entry.container);
  }

  async wait(nameOrId: string, condition: string, signal: AbortSignal): Promise<ExitStatus> {
    const entry = this.#entry(nameOrId);
    const { status, exitCode } = entry.container.state;
    if (condition === 'not-running' && status !== 'running') return { exitCode, error: '' };
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>();
    (condition === 'removed' ? entry.removeListeners : entry.exitListeners).push(resolve);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    return await promise;
  }

  async attach(nameOrId: string, _: object, signal: AbortSignal): Promise<Attachment> {
    return this.#entry(nameOrId).process.attach(signal);
  }

  async resize(nameOrId: string, rows: number, columns: number): Promise<void> {
    this.#entry(nameOrId).process.size = { rows, columns };
  }

  async *logs(
    nameOrId: string,
    query: { readonly follow: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tail?: number },
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[], void, undefined> {
    this.calls.push(
      `logs ${JSON.stringify(query, (_, value: unknown) => (typeof value === 'bigint' ? `${String(value)}n` : value))}`,
    );
    const { process } = this.#entry(nameOrId);
    const attachment = process.attach(signal);
    const past = query.tail === undefined ? process.log : process.log.slice(-query.tail);
    for (const chunk of past) if (query[chunk.stream]) yield [{ ...chunk, timeNs: 1_700_000_000_000_000_001n }];
    if (!query.follow) return;
    for await (const chunk of attachment.output) {
      if (query[chunk.stream]) yield [{ ...chunk, timeNs: 1_700_000_000_000_000_002n }];
    }
  }

  async top(_: string, psArgs: string): ReturnType<Containers['top']> {
    return { titles: ['PID', 'CMD'], processes: [['1', psArgs]] };
  }

  stats(): ContainerStats {
    return {
      cpu: {
        totalNs: 3_000_000n,
        userNs: 2_000_000n,
        systemNs: 1_000_000n,
        perCpuNs: [1n, 2n],
        periods: 4,
        throttledPeriods: 5,
        throttledNs: 6n,
      },
      memory: {
        usageBytes: 4096,
        inactiveFileBytes: 1024,
        mostBytes: 8192,
        failures: 1,
        limitBytes: this.memoryLimitBytes,
        details: { cache: 7 },
      },
      pids: { current: 3, limit: 50 },
      networks: { eth0: counts },
      block: {
        bytes: [
          { major: 8, minor: 1, operation: 'read', value: 10 },
          { major: 8, minor: 1, operation: 'write', value: 20 },
        ],
        operations: [],
      },
    };
  }

  async changes(): ReturnType<Containers['changes']> {
    return [
      { path: '/etc', kind: 'modified' },
      { path: '/etc/new', kind: 'added' },
      { path: '/old', kind: 'deleted' },
    ];
  }

  async withRoot<T>(_: string, work: RootWork<T>): Promise<T> {
    return await work(this.root, undefined);
  }

  async withFiles<T>(_: string, work: RootWork<T>): Promise<T> {
    return await work(this.root, undefined);
  }

  async connect(nameOrId: string, endpoint: object): Promise<void> {
    this.calls.push(`connect ${this.get(nameOrId).name} ${JSON.stringify(endpoint)}`);
  }

  async disconnect(nameOrId: string, network: string, force: boolean): Promise<void> {
    this.calls.push(`disconnect ${this.get(nameOrId).name} ${network} ${String(force)}`);
  }

  createExec(nameOrId: string, spec: Exec['spec']): Exec {
    const exec = { id: newId(), containerId: this.get(nameOrId).id, spec, running: false, exitCode: undefined, pid: 0 };
    this.#execs.set(exec.id, { exec, process: new FakeProcess(spec.args) });
    return exec;
  }

  exec(execId: string): Exec {
    return this.#execEntry(execId).exec;
  }

  async startExec(execId: string, _: object, signal: AbortSignal): Promise<Attachment> {
    const entry = this.#execEntry(execId);
    entry.exec = { ...entry.exec, running: true, pid: 77 };
    const attachment = entry.process.attach(signal);
    void entry.process.exit.promise.then((exitCode) => {
      entry.exec = { ...entry.exec, running: false, exitCode, pid: 0 };
    });
    entry.process.start();
    return attachment;
  }

  async resizeExec(execId: string, rows: number, columns: number): Promise<void> {
    this.#execEntry(execId).process.size = { rows, columns };
  }

  async reconcile(): Promise<void> {}

  #onExit(entry: Entry, exitCode: number): void {
    const { id } = entry.container;
    if (!this.#entries.has(id)) return;
    this.setState(id, {
      status: 'exited',
      pid: 0,
      exitCode,
      finishedAt: new Date(Number(nowNs() / 1_000_000n)).toISOString(),
    });
    this.#publish('die', entry.container);
    for (const listener of entry.exitListeners.splice(0)) listener({ exitCode, error: '' });
    if (entry.container.spec.autoRemove) void this.remove(id, { force: true, volumes: true });
  }

  #publish(action: string, { id, name, spec }: Container): void {
    this.#events.publish('container', action, id, { ...spec.labels, image: spec.imageName, name });
  }

  #find(nameOrId: string): Entry | undefined {
    const entries = [...this.#entries.values()];
    return (
      entries.find(({ container }) => container.id === nameOrId || container.name === nameOrId) ??
      entries.find(({ container }) => nameOrId !== '' && container.id.startsWith(nameOrId))
    );
  }

  #entry(nameOrId: string): Entry {
    const entry = this.#find(nameOrId);
    if (entry !== undefined) return entry;
    throw new StatusError('NotFound', `No such container: ${nameOrId}`);
  }

  #execEntry(id: string): ExecEntry {
    const entry = this.#execs.get(id);
    if (entry !== undefined) return entry;
    throw new StatusError('NotFound', `No such exec instance: ${id}`);
  }
}
