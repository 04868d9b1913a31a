import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { deadline } from '#base/clock.ts';
import { openEtcdStore } from '#store/etcd/open-etcd-store.ts';

import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { makeRoot, type Owner } from './temp-root.ts';
import { toolPath } from './tools.ts';

export interface EtcdOptions {
  readonly members?: number;
  /** Paths; clients must show a certificate of the authority then. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** A cluster of etcd on free loopback ports, which goes with its data when the test ends. */
export interface Etcd {
  /** Of all members, for `openEtcdStore`. */
  readonly url: string;
  /** kill -9. */
  kill(member: number): Promise<void>;
  start(member: number): void;
  /** SIGSTOP and SIGCONT: as if it had no power for a while. */
  pause(member: number): void;
  goOn(member: number): void;
}

const attemptsMost = 5;

/** Starts it and waits until it answers. */
export async function startEtcd(owner: Owner, options: EtcdOptions = {}): Promise<Etcd> {
  for (let attempt = 1; ; attempt += 1) {
    const cluster = await EtcdCluster.prepare(options);
    owner.after(async () => await cluster[Symbol.asyncDispose]());
    // A port may be taken between our look and its start.
    if ((await cluster.startAll()) || attempt === attemptsMost) return cluster;
  }
}

class EtcdCluster implements Etcd, AsyncDisposable {
  readonly #folder = makeRoot();
  readonly #clientPorts: readonly number[];
  readonly #peerPorts: readonly number[];
  readonly #tls: EtcdOptions['tls'];
  readonly #members = new Map<number, ChildProcess>();

  private constructor(ports: readonly number[], tls: EtcdOptions['tls']) {
    this.#clientPorts = ports.slice(0, ports.length / 2);
    this.#peerPorts = ports.slice(ports.length / 2);
    this.#tls = tls;
  }

  static async prepare({ members = 1, tls }: EtcdOptions): Promise<EtcdCluster> {
    return new EtcdCluster(await Promise.all(Array.from({ length: members * 2 }, freePort)), tls);
  }

  get url(): string {
    return this.#clientPorts.map((port) => this.#clientUrl(port)).join(',');
  }

  /** Whether all run and answer. */
  async startAll(): Promise<boolean> {
    for (const member of this.#clientPorts.keys()) this.start(member);
    return await eventually('etcd answers', async () => {
      if ([...this.#members.values()].some(({ exitCode }) => exitCode !== null)) return 'ended';
      if (this.#tls !== undefined) return await listens(this.#clientPorts[0] ?? 0);
      await using _ = await openEtcdStore(this.url, {}, deadline(10_000));
      return 'answers';
    }).then((state) => state === 'answers');
  }

  start(member: number): void {
    const name = (index: number): string => `m${String(index)}`;
    const peers = this.#peerPorts.map((port, index) => `${name(index)}=http://127.0.0.1:${String(port)}`);
    const clientUrl = this.#clientUrl(this.#clientPorts[member] ?? 0);
    const peerUrl = `http://127.0.0.1:${String(this.#peerPorts[member] ?? 0)}`;
    const tls = this.#tls;
    const args = {
      name: name(member),
      'data-dir': join(this.#folder, name(member)),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': peers.join(','),
      'log-level': 'error',
      ...(tls === undefined
        ? {}
        : { 'cert-file': tls.certificate, 'key-file': tls.key, 'trusted-ca-file': tls.ca, 'client-cert-auth': 'true' }),
    };
    const words = Object.entries(args).map(([key, value]) => `--${key}=${value}`);
    this.#members.set(member, spawn(toolPath('etcd'), words, { stdio: 'ignore' }));
  }

  async kill(member: number): Promise<void> {
    const child = this.#members.get(member);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  pause(member: number): void {
    this.#members.get(member)?.kill('SIGSTOP');
  }

  goOn(member: number): void {
    this.#members.get(member)?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members.keys()) await this.kill(member);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #clientUrl(port: number): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`;
  }
}

async function listens(port: number): Promise<'answers' | undefined> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected ? 'answers' : undefined;
}
