import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { mountsBelow } from '#sys/mount-info.ts';
import { unmountTree } from '#sys/mounts.ts';

import { busyboxTar } from '#kit/busybox-image.ts';
import { command, commandOutput, type CommandOptions } from '#kit/command.ts';
import { eventually } from '#kit/eventually.ts';
import { pluginPath, repository, toolPath } from '#kit/tools.ts';

import { CpuGroup, inGroup } from './cpu-group.ts';

/** An engine that runs for the benchmark alone: own data, own network namespace, own CPU account. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  readonly cpu: CpuGroup;
  /** Runs `docker ARGS` against it, inside of its CPU account; throws when it fails. */
  readonly docker: (args: readonly string[], options?: CommandOptions) => Promise<string>;
  /** As `docker`, with what it prints thrown away. */
  readonly dockerQuietly: (args: readonly string[]) => Promise<void>;
}

const downloads = join(repository, '.cache/bench');
/** How apt reads a newer suite of Debian, which `./slipway test` prepares. */
const newerSuite = join(repository, '.cache/apt-sid/apt.conf');

/** Our daemon from this source tree. */
export async function openSlipway(): Promise<Contender> {
  const shim = join(repository, 'bin/slipway');
  return openContender('slipway', (root) => [process.execPath, shim, '--root', root, 'daemon', '--log-file'], {
    socketOf: (root) => join(root, 'run/slipway/docker.sock'),
    end: async (root) => {
      await command(process.execPath, [shim, '--root', root, 'down', '--purge']);
    },
  });
}

/**
 * dockerd of Debian's package docker.io with its containerd, of this machine's suite or the newest, unpacked into the cache
 * and never installed.
 */
export async function openDockerd(suite: 'own' | 'newest' = 'own'): Promise<Contender> {
  const peerFolder = join(downloads, suite === 'own' ? 'docker' : 'docker-newest');
  if (!existsSync(join(peerFolder, 'usr/sbin/dockerd'))) await unpackPeer(peerFolder, suite);
  const args = (root: string): readonly string[] => [
    join(peerFolder, 'usr/sbin/dockerd'),
    `--data-root=${join(root, 'data')}`,
    `--exec-root=${join(root, 'exec')}`,
    `--pidfile=${join(root, 'pid')}`,
    `--host=unix://${join(root, 'd.sock')}`,
    '--bip=10.213.0.1/24',
    '--group=root',
  ];
  const programs = ['usr/bin', 'usr/sbin'].map((folder) => join(peerFolder, folder));
  return openContender('dockerd', args, { programs, socketOf: (root) => join(root, 'd.sock'), end: async () => {} });
}

interface Ways {
  /** Folders of programs that it starts. */
  readonly programs?: readonly string[];
  readonly socketOf: (root: string) => string;
  /** Asks for an end in order, beyond SIGTERM. */
  readonly end: (root: string) => Promise<void>;
}

async function openContender(name: string, args: (root: string) => readonly string[], ways: Ways): Promise<Contender> {
  await using opened = new AsyncDisposableStack();
  const root = mkdtempSync('/tmp/sw-');
  opened.defer(() => removeRoot(root));
  const cpu = opened.use(new CpuGroup(`slipway-bench-${name}-${String(process.pid)}`));
  const log = openSync(join(root, 'log'), 'a');
  const env = {
    ...process.env,
    PATH: [...(ways.programs ?? []), process.env['PATH'], '/usr/sbin', '/sbin'].join(':'),
  };
  const [file = '', ...rest] = inGroup(cpu, [
    'unshare',
    '--net',
    'sh',
    '-c',
    'ip link set lo up && exec "$@"',
    'sh',
    ...args(root),
  ]);
  const daemon = spawn(file, rest, { stdio: ['ignore', log, log], env, detached: true });
  opened.defer(async () => {
    await ways.end(root);
    await endOf(daemon);
  });
  const dockerEnv = {
    DOCKER_HOST: `unix://${ways.socketOf(root)}`,
    DOCKER_CONFIG: join(root, 'config'),
    DOCKER_CONTEXT: '',
  };
  mkdirSync(join(root, 'config/cli-plugins'), { recursive: true });
  symlinkSync(pluginPath('docker-buildx'), join(root, 'config/cli-plugins/docker-buildx'));
  const run = async (words: readonly string[], options: CommandOptions = {}): Promise<string> => {
    const [shell = '', ...line] = inGroup(cpu, words);
    return commandOutput(shell, line, { ...options, env: { ...dockerEnv, ...options.env } });
  };
  const docker: Contender['docker'] = (words, options) => run([toolPath('docker'), ...words], options);
  const dockerQuietly: Contender['dockerQuietly'] = async (words) =>
    void (await run(['sh', '-c', 'exec "$@" > /dev/null', 'sh', toolPath('docker'), ...words]));
  await eventually(`${name} answers`, async () => {
    if (daemon.exitCode !== null) throw new Error(`${name} ended with ${String(daemon.exitCode)}; see ${root}/log`);
    return (await docker(['version'])) !== '';
  });
  await docker(['import', '-', 'busybox:latest'], { stdin: busyboxTar() });
  const owned = opened.move();
  return { name, cpu, docker, dockerQuietly, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

async function unpackPeer(peerFolder: string, suite: 'own' | 'newest'): Promise<void> {
  const folder = join(downloads, 'packages');
  mkdirSync(folder, { recursive: true });
  const env = suite === 'own' ? {} : { APT_CONFIG: newerSuite };
  await commandOutput('apt-get', ['download', 'docker.io', 'containerd'], { cwd: folder, env });
  await commandOutput('sh', ['-c', 'for package in *.deb; do dpkg-deb -x "$package" "$0"; done', peerFolder], {
    cwd: folder,
  });
  rmSync(folder, { recursive: true });
}

async function endOf(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

async function removeRoot(root: string): Promise<void> {
  await eventually('nothing is mounted any more', () => {
    unmountTree(root);
    return mountsBelow(root).length === 0;
  });
  rmSync(root, { recursive: true, force: true });
}
