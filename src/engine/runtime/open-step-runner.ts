import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { after } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Logger } from '#base/logger.ts';
import { ownerOutside } from '#formats/id-map.ts';
import { emulatedArchitectures } from '#sys/binary-formats.ts';
import { type Cgroups, openCgroups } from '#sys/cgroups.ts';
import { bindMapped, mountTmpfs, unmountTree } from '#sys/mounts.ts';
import { openPipe, type Pipe } from '#sys/pipe.ts';
import { kill } from '#sys/process.ts';

import type { SecretFile, StepMount, StepRun, StepRunner } from '../build/builder.ts';
import type { Networks, Sandbox } from '../network/networks.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { makeMountPoint } from './bundle.ts';
import { killCgroup } from './end-run.ts';
import { readUserDatabase } from './image-users.ts';
import { findProcesses } from './process-search.ts';
import type { OciRuntimes } from './oci-runtimes.ts';
import { parentCgroup } from './room.ts';
import { checkOwner, letPass, mountReachable, openOwner, type RunOwner } from './run-owner.ts';
import { buildSpec, encodeSpec } from './spec/build-spec.ts';
import { allDevices, requestedDevices } from './spec/devices.ts';
import { type HostFacts, readHostFacts } from './spec/host-facts.ts';
import type { ResolvedMount } from './spec/mounts.ts';
import { resolveUser } from './spec/user.ts';
import { makeWorkingDirectory } from './start-run.ts';
import { inRuncsWords, lastRuntimeError, startFailure } from './start-failure.ts';
import { stepContainer, stepSandbox } from './step-container.ts';
import type { UserMaps } from './user-maps.ts';
import { comesTrue } from './waiting.ts';

export interface StepRunnerOptions {
  /** Bundles of steps that run; gone after a reboot. */
  readonly runDir: string;
  readonly instance: string;
  readonly runtimes: OciRuntimes;
  readonly userMaps: UserMaps;
  readonly snapshots: Snapshots;
  readonly networks: Networks;
  readonly logger: Logger;
}

/** Where the runtime looks for programs of its own. */
const runtimePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const killedExitCode = 137;
/** BuildKit's limit of a secret allows 500 KiB each. */
const secretFolderOptions = 'mode=0700,size=64m';
/** Architectures of images by Node's name of the processor; some run programs of an older one. */
const runs: Readonly<Record<string, readonly string[]>> = { x64: ['amd64', '386'], arm64: ['arm64', 'arm'] };
const settleMs = 10_000;
const lookAgainMs = 3;

/** Opens the runner of build steps and clears away those that an earlier life of this process left. */
export async function openStepRunner(options: StepRunnerOptions): Promise<StepRunner & AsyncDisposable> {
  const runner = new RuntimeSteps(options);
  await runner.sweep();
  return runner;
}

interface Step {
  readonly id: string;
  readonly folder: string;
  /** With mounts for what its user namespace owns. */
  readonly owned: string;
  readonly cgroupPath: string;
}

/** Runs each step by `run` of the default runtime, with pipes: a step need not outlive this process, its build does not either. */
class RuntimeSteps implements StepRunner, AsyncDisposable {
  readonly #options: StepRunnerOptions;
  readonly #cgroups: Cgroups = openCgroups();
  readonly #host: HostFacts = readHostFacts();
  readonly #steps: string;
  readonly #runtimeRoot: string;

  constructor(options: StepRunnerOptions) {
    this.#options = options;
    this.#steps = join(options.runDir, 'steps');
    this.#runtimeRoot = join(options.runDir, 'steps-runtime');
  }

  canRun(architecture: string): boolean {
    return (
      (runs[this.#host.arch] ?? [this.#host.arch]).includes(architecture) || emulatedArchitectures().has(architecture)
    );
  }

  async run(step: StepRun, onOutput: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const one = this.#stepOf(newId());
    try {
      mkdirSync(one.folder, { recursive: true, mode: 0o700 });
      // The run folder may be on a disk, which secrets never touch; the configuration holds variables.
      if (step.secretEnv.length + step.secretFiles.length > 0) mountTmpfs(one.folder, secretFolderOptions);
      const owner = await this.#openOwner(one, step);
      const request = {
        ...stepSandbox(one.id, step),
        ...(owner?.network !== undefined && { namespace: owner.network }),
      };
      const sandbox = await this.#options.networks.open(request, signal);
      this.#writeBundle(one, step, sandbox, owner);
      return await this.#execute(one, step.args[0] ?? '', onOutput, signal);
    } finally {
      await this.#clear(one);
    }
  }

  async sweep(): Promise<void> {
    for (const folder of [this.#steps, this.#runtimeRoot]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const runtime of findProcesses((argument) => argument.startsWith(`${this.#steps}/`))) kill(runtime, 'SIGKILL');
    for (const id of readdirSync(this.#steps)) await this.#clear(this.#stepOf(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cgroups.remove(parentCgroup(this.#options.instance));
  }

  #stepOf(id: string): Step {
    const folder = join(this.#steps, id);
    const owned = join(folder, 'owned');
    return { id, folder, owned, cgroupPath: join(parentCgroup(this.#options.instance), id) };
  }

  /** The user namespace of a step, where containers have one. */
  async #openOwner(one: Step, step: StepRun): Promise<RunOwner | undefined> {
    const { userMaps } = this.#options;
    checkOwner(userMaps, stepContainer(step));
    if (userMaps.ids === undefined) return undefined;
    mkdirSync(one.owned, { mode: 0o700 });
    const owner = await openOwner(userMaps, { ids: userMaps.ids, folder: one.owned, ownNetwork: true });
    letPass(owner, this.#steps, one.folder, one.owned);
    return owner;
  }

  /** The step's root filesystem and mounts, for its owner. */
  #openFiles(
    one: Step,
    step: StepRun,
    owner: RunOwner | undefined,
  ): { root: string; mounts: readonly ResolvedMount[] } {
    const { snapshots } = this.#options;
    const root = snapshots.mount(step.snapshotId);
    makeWorkingDirectory(root, step.cwd);
    const secrets = step.secretFiles.map((file, index) => secretMount(one, file, index, owner));
    if (owner === undefined) return { root, mounts: [...step.mounts.map(stepMount), ...secrets] };
    const how = { volatile: true, owners: owner.mounts };
    snapshots.mount(step.snapshotId, how);
    const mounts = step.mounts.map((mount, index) => {
      if (mount.type === 'tmpfs') return stepMount(mount);
      if (mount.snapshotId !== undefined) {
        snapshots.mount(mount.snapshotId, how);
        return stepMount(mount);
      }
      const source = join(one.owned, String(index));
      makeMountPoint(mount.source, source);
      bindMapped(mount.source, source, owner.mounts);
      return stepMount({ ...mount, source });
    });
    return { root: mountReachable(root, one.owned), mounts: [...mounts, ...secrets] };
  }

  #writeBundle(one: Step, step: StepRun, sandbox: Sandbox, owner: RunOwner | undefined): void {
    const { root: rootPath, mounts } = this.#openFiles(one, step, owner);
    const spec = stepContainer(step);
    const hosts = join(one.folder, 'hosts');
    const resolvConf = join(one.folder, 'resolv.conf');
    writeFileSync(hosts, sandbox.files.hosts, { mode: 0o644 });
    writeFileSync(resolvConf, sandbox.files.resolvConf, { mode: 0o644 });
    const config = buildSpec({
      spec,
      host: this.#host,
      rootPath,
      user: resolveUser(step.user, [], readUserDatabase(rootPath)),
      mounts,
      files: { '/etc/hosts': hosts, '/etc/resolv.conf': resolvConf },
      devices: step.privileged ? allDevices() : requestedDevices([]),
      netnsPath: sandbox.netnsPath,
      owner,
      cgroupsPath: one.cgroupPath,
      initPath: undefined,
      sharedMemory: undefined,
      pidOf: () => 0,
    });
    writeFileSync(join(one.folder, 'config.json'), encodeSpec(config), { mode: 0o600 });
  }

  async #execute(
    one: Step,
    program: string,
    onOutput: (bytes: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<number> {
    signal.throwIfAborted();
    const log = join(one.folder, 'runtime.log');
    const { runtimes } = this.#options;
    const runtime = runtimes.get(runtimes.default);
    using stdin = openPipe();
    using stdout = openPipe();
    using stderr = openPipe();
    const child = spawn(
      runtime.program.path,
      ['--root', this.#runtimeRoot, '--log', log, '--log-format', 'json', 'run', '--bundle', one.folder, one.id],
      { stdio: [stdin.readFd, stdout.writeFd, stderr.writeFd], env: { ...runtime.env, PATH: runtimePath } },
    );
    stdin[Symbol.dispose]();
    const outputs = [stdout, stderr].map(outputOf);
    // Again and again: while the runtime still sets the container up there is nothing to kill.
    let again: Disposable | undefined;
    const abort = (): void => {
      killCgroup(this.#cgroups, one.cgroupPath);
      again = after(lookAgainMs, abort);
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      const ended = new Promise<number>((resolve, reject) => {
        child.once('close', (code) => resolve(code ?? killedExitCode));
        child.once('error', reject);
      });
      await Promise.all([...outputs.map((output) => forward(output, onOutput)), ended]);
      signal.throwIfAborted();
      const code = await ended;
      const refusal = code === 0 ? undefined : lastRuntimeError(readLog(log));
      if (refusal === undefined) return code;
      const failure = startFailure('create', inRuncsWords('create', refusal, program));
      if (failure.exitCode === 128) throw new StatusError('InvalidArgument', failure.message);
      onOutput(Buffer.from(`${failure.message}\n`));
      return failure.exitCode;
    } finally {
      again?.[Symbol.dispose]();
      signal.removeEventListener('abort', abort);
    }
  }

  async #clear(one: Step): Promise<void> {
    const isGone = (): boolean => {
      killCgroup(this.#cgroups, one.cgroupPath);
      return this.#cgroups.remove(one.cgroupPath);
    };
    if (!(await comesTrue(isGone, lookAgainMs, settleMs)))
      this.#options.logger.warn('cgroup of a build step still has processes', { cgroupPath: one.cgroupPath });
    await this.#options.networks.close(one.id);
    rmSync(join(this.#runtimeRoot, one.id), { recursive: true, force: true });
    unmountTree(one.folder);
    rmSync(one.folder, { recursive: true, force: true });
  }
}

function stepMount(mount: StepMount): ResolvedMount {
  if (mount.type === 'bind') return { ...mount, type: 'bind', propagation: '' };
  const { tmpfsSizeBytes: sizeBytes } = mount;
  return { ...mount, type: 'tmpfs', ...(sizeBytes !== undefined && { sizeBytes }) };
}

/** Writes a secret into the step's folder, which is a tmpfs then. */
function secretMount(
  { folder }: Step,
  { target, bytes, mode, ...inside }: SecretFile,
  index: number,
  owner: RunOwner | undefined,
): ResolvedMount {
  const { uid, gid } = owner === undefined ? inside : ownerOutside(owner.ids, inside);
  const source = join(folder, `secret-${String(index)}`);
  writeFileSync(source, bytes, { mode: 0o600 });
  chownSync(source, uid, gid);
  chmodSync(source, mode);
  return { type: 'bind', source, target, readOnly: true, propagation: '' };
}

/** What children write into a pipe; it ends when the last of them has closed it. */
function outputOf(pipe: Pipe): Readable {
  pipe.close('writeFd');
  return new Socket({ fd: pipe.give('readFd'), readable: true, writable: false });
}

async function forward(stream: Readable, onOutput: (bytes: Uint8Array) => void): Promise<void> {
  for await (const chunk of stream) onOutput(chunk as Buffer);
}

function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
