import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';

import type { AuditPolicy } from '#apiserver/audit/audit-policy.ts';
import type { EncryptedKinds } from '#apiserver/encryption/encryption-configuration.ts';
import type { ApiServer } from '#apiserver/serve-api.ts';
import { openTcpDoor, type TcpDoor } from '#apiserver/http/tcp-door.ts';
import { nowMs } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import { clientCertificate, serverCertificate } from '#pki/certificates.ts';
import { openClusterPki, type ClusterPki } from '#pki/cluster-pki.ts';
import { kubeconfigText } from '#pki/kubeconfig.ts';
import { openRotatingCertificate, type RotatingCertificate } from '#pki/rotating-certificate.ts';
import { makeFolderDurably, writeDurably } from '#sys/durable-file.ts';
import { dirname, join } from 'node:path';

import type { InstancePaths } from '../instance-paths.ts';
import type { Health, Plane, Running } from '../plane.ts';
import type { ValuesOf } from '../setting.ts';
import { advertisedHost } from './advertised-host.ts';
import { readAuditPolicy, readEncryption } from './kubernetes-files.ts';
import type { kubernetesSettings } from './kubernetes-settings.ts';
import type { StoreSettings } from './open-store.ts';
import type { NodePartOptions } from './start-node.ts';

type Settings = ValuesOf<typeof kubernetesSettings>;

const defaultPort = 6443;
const loopback = '127.0.0.1';
/** Names by which pods reach the API, and the first address of services. */
const clusterNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '10.96.0.1',
];

/**
 * The Kubernetes API. Keys, certificates and the kubeconfig are made at the start; the server itself with the first
 * connection, or at once when it has been used before: who has containers alone does not pay for it.
 */
interface Needs {
  readonly store: StoreSettings;
  readonly engine: Engine;
}

export const apiserverPlane: Plane<Settings, Needs, undefined> = {
  name: 'kubernetes',
  start: async (settings, { store, engine }, { paths, logger, signal }) => {
    if (!settings.enabled) return idle({ state: 'healthy', message: 'off; set kubernetes.enabled' });
    await using opened = new AsyncDisposableStack();
    const pki = await openClusterPki(paths.pki, nowMs());
    const server = new SleepingServer({
      paths,
      logger,
      pki,
      store,
      eventMinutes: settings.eventMinutes,
      hasControllers: settings.controllers,
      node: settings.node
        ? { engine, nodeName: settings.nodeName, podCidr: settings.podCidr, folder: join(paths.data, 'node') }
        : undefined,
      audit: settings.auditPolicy === '' ? undefined : await readAuditPolicy(settings.auditPolicy),
      encryption: settings.encryptionConfiguration === '' ? [] : await readEncryption(settings.encryptionConfiguration),
    });
    opened.use(server);
    const [host, port] = addressOf(settings.listen, paths);
    const door = await openDoor(settings, host, port, (socket) => server.accept(socket));
    if (typeof door === 'string') return idle({ state: 'healthy', message: door });
    opened.use(door);
    const reachedBy = advertisedHost(host, networkInterfaces());
    const url = `https://${reachedBy.includes(':') ? `[${reachedBy}]` : reachedBy}:${String(door.port)}`;
    await server.open(reachedBy, url);
    // A store elsewhere may come later than we: each connection tries again.
    if (store.url !== '') await server.wake(signal).catch(() => {});
    else if (existsSync(paths.store)) await server.wake(signal);
    const kept = opened.move();
    const closed = Promise.withResolvers<void>();
    return {
      gives: undefined,
      done: closed.promise,
      health: () => server.health(url),
      [Symbol.asyncDispose]: async () => {
        await kept.disposeAsync();
        closed.resolve();
      },
    };
  },
};

/** Listens; where nobody said where, a port that is taken is no reason to do without all the rest. */
async function openDoor(
  { listen }: Settings,
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<TcpDoor | string> {
  try {
    return await openTcpDoor(host, port, onConnection);
  } catch (error) {
    if (listen !== '' || !(error instanceof StatusError)) throw error;
    if (port !== defaultPort) return openTcpDoor(host, 0, onConnection);
    return `not served: ${String(port)} is taken; set kubernetes.listen`;
  }
}

function addressOf(listen: string, paths: InstancePaths): readonly [string, number] {
  const [, host = loopback, port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(listen) ?? [];
  if (port !== '') return [host, Number(port)];
  return [loopback, paths.instance === '' ? defaultPort : portBefore(paths.kubeconfig)];
}

/** The port that clients of this root know already. */
function portBefore(kubeconfig: string): number {
  try {
    return Number(/server: "https:[^"]*:(\d+)"/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function idle(health: Health): Running<undefined> {
  const closed = Promise.withResolvers<void>();
  return {
    gives: undefined,
    done: closed.promise,
    health: () => health,
    [Symbol.asyncDispose]: async () => await Promise.resolve(closed.resolve()),
  };
}

interface SleepingOptions {
  readonly paths: InstancePaths;
  readonly logger: Logger;
  readonly pki: ClusterPki;
  readonly store: StoreSettings;
  readonly eventMinutes: number;
  readonly hasControllers: boolean;
  /** Undefined: this machine is no node. */
  readonly node: Omit<NodePartOptions, 'server' | 'logger'> | undefined;
  readonly audit: AuditPolicy | undefined;
  readonly encryption: readonly EncryptedKinds[];
}

/** The server, which is loaded and opened when it is needed. */
class SleepingServer implements AsyncDisposable {
  readonly #options: SleepingOptions;
  readonly #owned = new AsyncDisposableStack();
  readonly #closing = new AbortController();
  #certificate: RotatingCertificate | undefined;
  #url = '';
  #server: Promise<ApiServer> | undefined;
  #isAwake = false;
  #fault: string | undefined;

  constructor(options: SleepingOptions) {
    this.#options = options;
  }

  /** Makes certificates and the kubeconfig. */
  async open(host: string, url: string): Promise<void> {
    const { paths, pki, logger } = this.#options;
    this.#url = url;
    const names = [...new Set([...clusterNames, 'localhost', hostname(), loopback, '::1', host])];
    const common = { folder: paths.pki, authority: pki.authority.certificate, nowMs };
    const onError = (error: unknown): void => logger.error('certificate was not renewed', { error });
    const serverOrder = serverCertificate('kube-apiserver', names);
    const issueServer = (now: number) => pki.issue(serverOrder, now);
    this.#certificate = this.#owned.use(
      await openRotatingCertificate(
        { ...common, name: 'apiserver', alternativeNames: names, issue: issueServer },
        onError,
      ),
    );
    this.#owned.use(this.#certificate.onChange((pair) => void this.#server?.then((server) => server.renew(pair))));
    const issueAdmin = (now: number) => pki.issue(clientCertificate('kubernetes-admin', ['system:masters']), now);
    const admin = this.#owned.use(
      await openRotatingCertificate({ ...common, name: 'admin', alternativeNames: [], issue: issueAdmin }, onError),
    );
    await this.#writeKubeconfig(admin.current());
    this.#owned.use(admin.onChange((pair) => void this.#writeKubeconfig(pair).catch(onError)));
  }

  accept(socket: Socket): void {
    socket.on('error', () => {});
    this.wake(this.#closing.signal).then(
      (server) => server.accept(socket),
      () => socket.destroy(),
    );
  }

  async wake(signal: AbortSignal): Promise<ApiServer> {
    this.#server ??= this.#start(signal).catch((error: unknown) => {
      this.#server = undefined;
      this.#fault = messageOf(error);
      this.#options.logger.error('the Kubernetes API does not start', { error });
      throw error;
    });
    return this.#server;
  }

  health(url: string): Health {
    if (this.#fault !== undefined) return { state: 'degraded', message: this.#fault };
    return { state: 'healthy', message: this.#isAwake ? url : `${url} (starts when it is used)` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the API server ends'));
    await this.#server?.catch(() => {});
    await this.#owned.disposeAsync();
  }

  async #start(signal: AbortSignal): Promise<ApiServer> {
    const { paths, pki, store, logger, audit, encryption, eventMinutes, hasControllers, node } = this.#options;
    const pair = this.#certificate?.current();
    if (pair === undefined) throw new StatusError('Unavailable', 'Cannot serve the Kubernetes API: it is starting');
    const { openApiServer } = await import('./open-apiserver.ts');
    const agent = node === undefined ? undefined : (await import('./node-agent.ts')).nodeAgent(node.engine);
    const opened = await openApiServer(
      {
        pki,
        pair,
        logger,
        storeFolder: paths.store,
        storeSettings: store,
        url: this.#url,
        eventTtlSeconds: eventMinutes * 60,
        agent,
        audit,
        encryption,
        hasControllers,
        logFolder: dirname(paths.logFile),
      },
      signal,
    );
    this.#owned.use(opened);
    if (node !== undefined) {
      const { startNode } = await import('./start-node.ts');
      this.#owned.use(await startNode({ ...node, server: opened.server, logger }));
    }
    this.#isAwake = true;
    this.#fault = undefined;
    return opened.server;
  }

  async #writeKubeconfig(pair: ReturnType<RotatingCertificate['current']>): Promise<void> {
    const { paths, pki } = this.#options;
    const { authorityPem } = pki;
    const text = kubeconfigText({
      cluster: 'slipway',
      user: 'kubernetes-admin',
      server: this.#url,
      authorityPem,
      pair,
    });
    await makeFolderDurably(dirname(paths.kubeconfig), 0o755);
    await writeDurably(paths.kubeconfig, text, 0o600);
  }
}
