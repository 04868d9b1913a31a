import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { StatusReport } from '#app/control-protocol.ts';
import { instancePaths, type InstancePaths } from '#app/instance-paths.ts';

import { busyboxTar } from './busybox-image.ts';
import { command, type CommandOptions, type CommandResult } from './command.ts';
import { eventually } from './eventually.ts';
import { describeLeaks, findLeaks, removeLeaks } from './leaks.ts';
import { makeRoot, type Owner } from './temp-root.ts';
import { repository, toolPath } from './tools.ts';

export interface InstanceOptions {
  /** `section.name=value`, as for `--set`. */
  readonly settings?: readonly string[];
}

/** What `slipway status --json` prints. */
type InstanceStatus = { readonly state: StatusReport['state'] | 'down' } & Partial<Omit<StatusReport, 'state'>>;

const shim = join(repository, 'bin/slipway');
const logLinesShown = 60;

/**
 * A real daemon with a root of its own, as a child process of the test, and the real docker CLI against its socket.
 * After the test everything of it is deleted; what is left then fails the test.
 */
export class Instance {
  readonly root: string;
  readonly paths: InstancePaths;
  readonly #settings: readonly string[];
  #daemon: ChildProcess | undefined;

  constructor(root: string, options: InstanceOptions) {
    this.root = root;
    this.paths = instancePaths(root);
    this.#settings = options.settings ?? [];
  }

  /** Process ID of the daemon. */
  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** Starts the daemon and waits until it is healthy. */
  async start(): Promise<void> {
    mkdirSync(dirname(this.paths.logFile), { recursive: true });
    const log = openSync(this.paths.logFile, 'a');
    const sets = this.#settings.flatMap((setting) => ['--set', setting]);
    const args = [shim, '--root', this.root, 'daemon', '--log-file', ...sets];
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#daemon = daemon;
    const isUp = async (): Promise<boolean> => hasEnded(daemon) || (await this.status()).state === 'healthy';
    await eventually('the daemon is healthy', isUp, startsWithinMs);
    if (!hasEnded(daemon)) return;
    throw new Error(`the daemon ended with ${String(daemon.exitCode ?? daemon.signalCode)}\n${this.logTail()}`);
  }

  async status(): Promise<InstanceStatus> {
    return JSON.parse((await this.slipway('status', '--json')).stdout) as InstanceStatus;
  }

  /** Ends the daemon without warning, as the OOM killer would; containers run on. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends the daemon in order; containers run on. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Runs `docker ARGS` against this instance. */
  async docker(...args: readonly string[]): Promise<CommandResult> {
    return this.dockerWith({}, ...args);
  }

  async dockerWith(options: CommandOptions, ...args: readonly string[]): Promise<CommandResult> {
    return command(toolPath('docker'), args, { ...options, env: { ...this.dockerEnv(), ...options.env } });
  }

  /** Runs `docker ARGS`, which must succeed; returns its stdout without the last newline. */
  async dockerOutput(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${String(code)}\n${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  /** For programs that speak to Docker by themselves. */
  dockerEnv(): Record<string, string> {
    return {
      DOCKER_HOST: `unix://${this.paths.dockerSocket}`,
      DOCKER_CONFIG: join(this.root, 'docker-config'),
      DOCKER_CONTEXT: '',
      DOCKER_BUILDKIT: '0',
    };
  }

  /** Runs `slipway --root ROOT ARGS`. */
  async slipway(...args: readonly string[]): Promise<CommandResult> {
    return this.slipwayWith({}, ...args);
  }

  async slipwayWith(options: CommandOptions, ...args: readonly string[]): Promise<CommandResult> {
    return command(process.execPath, [shim, '--root', this.root, ...args], options);
  }

  /** Makes the image `busybox:latest` from this machine's static busybox. */
  async loadBusybox(): Promise<string> {
    const imported = await this.dockerWith(
      { stdin: busyboxTar() },
      'import',
      '--change',
      'CMD ["sh"]',
      '-',
      'busybox:latest',
    );
    if (imported.code !== 0) throw new Error(`docker import failed\n${imported.stderr}`);
    return 'busybox:latest';
  }

  /** The end of the daemon's log. */
  logTail(): string {
    try {
      return readFileSync(this.paths.logFile, 'utf8').trimEnd().split('\n').slice(-logLinesShown).join('\n');
    } catch {
      return '(no log)';
    }
  }

  /** Deletes everything; throws with a list of what `slipway down --purge` left behind (and takes that away too). */
  async destroy(): Promise<void> {
    const purge = await this.slipway('down', '--purge');
    await this.#end('SIGKILL');
    const leaks = await eventually(
      'nothing is left of the instance',
      async () => {
        const found = await findLeaks(this.root);
        return describeLeaks(found).length === 0 ? found : undefined;
      },
      leaksGoWithinMs,
    ).catch(async () => findLeaks(this.root));
    const left = describeLeaks(leaks);
    if (left.length > 0) await removeLeaks(this.root, leaks);
    rmSync(this.root, { recursive: true, force: true });
    const purged = purge.code === 0 ? [] : [`slipway down --purge: ${purge.stderr.trim()}`];
    if (left.length + purged.length > 0) throw new Error(`left behind:\n${[...purged, ...left].join('\n')}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || hasEnded(daemon)) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill(signal);
    await ended;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A machine may stand still for some minutes while somebody takes a copy of it. */
const startsWithinMs = 300_000;
/** Processes end a moment after they were killed. */
const leaksGoWithinMs = 15_000;

/** Starts a daemon that is deleted with the test, with a leak check. */
export async function startInstance(owner: Owner, options: InstanceOptions = {}): Promise<Instance> {
  const instance = new Instance(makeRoot(), options);
  owner.after(async () => {
    if ('passed' in owner && owner.passed === false) process.stderr.write(`${instance.logTail()}\n`);
    await instance.destroy();
  });
  await instance.start();
  return instance;
}
