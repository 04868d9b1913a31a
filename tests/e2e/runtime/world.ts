import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { nowNs } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { createLogger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import type { EngineEvent } from '#engine/events/event-log.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { openEngine } from '#engine/open-engine.ts';
import type { Container, ContainerSpec } from '#engine/runtime/container.ts';
import type { Attachment, ExecSpec } from '#engine/runtime/containers.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { openCgroups } from '#sys/cgroups.ts';
import { identify, kill } from '#sys/process.ts';
import { busyboxTar } from '../../kit/busybox-image.ts';
import { eventually } from '../../kit/eventually.ts';
import { findLeaks, describeLeaks, removeLeaks } from '../../kit/leaks.ts';
import { makeRoot } from '../../kit/temp-root.ts';

export const never = new AbortController().signal;

/** Where an engine lives; several of one place are one after the other, as a daemon that is started again. */
export interface Place {
  readonly folder: string;
  readonly instance: string;
}

function newPlace(): Place {
  return { folder: makeRoot(), instance: newId().slice(0, 6) };
}

export async function openPlace(place: Place, log: (line: string) => void = () => {}): Promise<Engine> {
  return openEngine(
    {
      dataDir: join(place.folder, 'data'),
      runDir: join(place.folder, 'run'),
      instance: place.instance,
      runtimes: { paths: { crun: '/usr/bin/crun', runc: '/usr/sbin/runc' }, default: 'auto' },
      conmonPath: '/usr/bin/conmon',
      usernsRemap: '',
      etcFolders: [],
      addressPools: [{ base: '10.231.0.0/16', size: 24 }],
      publishAddress: '',
      respectHostFirewall: false,
      insecureRegistries: [],
      blobCacheBytes: 0,
      proxy: { HTTP_PROXY: '', HTTPS_PROXY: '', NO_PROXY: '' },
      defaultLog: { driver: 'json-file', options: {} },
      journalSocket: '/nowhere/journal',
      logger: createLogger({ level: 'warn', format: 'json', write: log }),
    },
    never,
  );
}

/** Takes everything of a place away; returns what should not have been there any more. */
async function destroyPlace(place: Place): Promise<readonly string[]> {
  const cgroups = openCgroups();
  const parent = `/slipway-${place.instance}`;
  for (const pid of cgroups.pids(parent)) {
    const identity = identify(pid);
    if (identity !== undefined) kill(identity, 'SIGKILL');
  }
  removeKernelState({ instance: place.instance, runDir: join(place.folder, 'run') });
  const leaks = await findLeaks(place.folder);
  await removeLeaks(place.folder, leaks);
  cgroups.remove(parent);
  rmSync(place.folder, { recursive: true, force: true });
  return describeLeaks(leaks);
}

/** An engine with the image `busybox:1`, that can be closed and opened again. */
export class World implements AsyncDisposable {
  readonly place: Place;
  /** What was logged from level warn on. */
  readonly log: string[] = [];
  #engine: Engine | undefined;
  #imageId: Digest | undefined;

  private constructor(place: Place) {
    this.place = place;
  }

  static async open(place = newPlace()): Promise<World> {
    const world = new World(place);
    try {
      await world.reopen();
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the engine is closed');
    return this.#engine;
  }

  get containers(): Engine['containers'] {
    return this.engine.containers;
  }

  /** Closes the engine, when it is open, and opens it again on what is there. */
  async reopen(): Promise<void> {
    await this.close();
    this.#engine = await openPlace(this.place, (line) => this.log.push(line));
    const { images } = this.#engine;
    const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
    const found = images.find('busybox:1');
    this.#imageId = (
      found ?? (await images.import(busyboxTar(), { tag: parseReference('busybox:1'), config }, never))
    ).id;
  }

  async close(): Promise<void> {
    await this.#engine?.[Symbol.asyncDispose]();
    this.#engine = undefined;
  }

  spec(script: string | readonly string[], change: Partial<ContainerSpec> = {}): ContainerSpec {
    if (this.#imageId === undefined) throw new Error('the engine is closed');
    return specOf(this.#imageId, script, change);
  }

  async create(
    script: string | readonly string[],
    change: Partial<ContainerSpec> = {},
    name?: string,
  ): Promise<Container> {
    return this.containers.create(name, this.spec(script, change), never);
  }

  async run(
    script: string | readonly string[],
    change: Partial<ContainerSpec> = {},
    name?: string,
  ): Promise<Container> {
    const { id } = await this.create(script, change, name);
    await this.containers.start(id, never);
    return this.containers.get(id);
  }

  /** Runs a script to its end, with a client attached, and removes it. */
  async output(script: string | readonly string[], change: Partial<ContainerSpec> = {}): Promise<Outcome> {
    const { id } = await this.create(script, change);
    await using attachment = await this.containers.attach(id, { stdin: false }, never);
    const exit = this.containers.wait(id, 'next-exit', never);
    try {
      await this.containers.start(id, never);
      const [output, status] = await Promise.all([collect(attachment), exit]);
      return { ...output, exitCode: status.exitCode };
    } finally {
      exit.catch(() => {});
      await this.containers.remove(id, { force: true, volumes: true }, never);
    }
  }

  async exec(id: string, script: string | readonly string[], change: Partial<ExecSpec> = {}): Promise<Outcome> {
    const exec = this.containers.createExec(id, execSpec(script, change));
    await using attachment = await this.containers.startExec(exec.id, { detach: false }, never);
    const output = await collect(attachment);
    return { ...output, exitCode: await this.execCode(exec.id) };
  }

  /** The exit code of an exec whose output has ended. */
  async execCode(execId: string): Promise<number> {
    await eventually('the exec has ended', () => this.containers.exec(execId).exitCode !== undefined);
    return this.containers.exec(execId).exitCode ?? -1;
  }

  async stop(id: string): Promise<void> {
    await this.containers.stop(id, { timeoutSeconds: 0 }, never);
  }

  async remove(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.containers.remove(id, { force: true, volumes: true }, never);
  }

  /** Everything that happened to a container, in order. */
  async history(id: string): Promise<readonly EngineEvent[]> {
    const all = await Array.fromAsync(this.engine.events.subscribe({ sinceNs: 0n, untilNs: nowNs() }, never));
    return all.filter((event) => event.id === id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#engine !== undefined) {
      const { containers } = this.#engine;
      for (const { id } of containers.list()) await containers.remove(id, { force: true, volumes: true }, never);
      await this.close();
    }
    const leaks = await destroyPlace(this.place);
    if (leaks.length > 0) throw new Error(`left behind:\n${leaks.join('\n')}`);
  }
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export async function collect(attachment: Attachment): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of attachment.output) parts[stream].push(Buffer.from(bytes));
  return { stdout: Buffer.concat(parts.stdout).toString(), stderr: Buffer.concat(parts.stderr).toString() };
}

export function execSpec(script: string | readonly string[], change: Partial<ExecSpec> = {}): ExecSpec {
  return {
    args: typeof script === 'string' ? ['sh', '-c', script] : script,
    env: [],
    cwd: '',
    user: '',
    tty: false,
    attachStdin: false,
    privileged: false,
    ...change,
  };
}

/** A container without a network, for which a second is long enough to stop. */
export function specOf(
  imageId: Digest,
  script: string | readonly string[],
  change: Partial<ContainerSpec> = {},
): ContainerSpec {
  return {
    imageId,
    imageName: 'busybox:1',
    args: typeof script === 'string' ? ['sh', '-c', script] : script,
    env: ['PATH=/bin'],
    cwd: '',
    user: '',
    additionalGroups: [],
    tty: false,
    openStdin: false,
    stdinOnce: false,
    hostname: '',
    domainname: '',
    labels: {},
    stopSignal: '',
    stopTimeoutSeconds: 1,
    privileged: false,
    readOnlyRoot: false,
    capAdd: [],
    capDrop: [],
    securityOptions: [],
    limits: {},
    ulimits: [],
    sysctls: {},
    devices: [],
    shmSizeBytes: 67_108_864,
    oomScoreAdj: 0,
    init: false,
    pidMode: '',
    ipcMode: '',
    utsMode: '',
    cgroupnsMode: '',
    cgroupParent: '',
    mounts: [],
    network: {
      mode: 'none',
      endpoints: [],
      ports: [],
      dns: { servers: [], search: [], options: [] },
      extraHosts: [],
    },
    restart: { name: 'no', maximumRetryCount: 0 },
    autoRemove: false,
    log: { driver: 'json-file', options: {} },
    origin: undefined,
    ...change,
  };
}
