/**
 * The Kubernetes API of a large cluster at rest: 1,000 nodes, each over a connection of its own and by its own certificate,
 * that renew their leases every 10 s, write their status every 5 min and watch their pods, of which there are 10,000:
 * `node bench/heartbeats.ts [--nodes N] [--pods N] [--seconds N]`. Memory and CPU are those of the server's process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { monotonicMs, nowMs, sleep } from '#base/clock.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import { nodeClientCertificate } from '#pki/certificates.ts';
import { openClusterPki } from '#pki/cluster-pki.ts';

import { ApiServerProcess, send } from './apiserver-process.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
  },
});
const [nodes, pods, seconds] = [Number(values.nodes), Number(values.pods), Number(values.seconds)];
const leaseEveryMs = 10_000;
const statusEveryMs = 300_000;
const atOnce = 32;
/** Caches and compiled code settle meanwhile. */
const settleMs = 25_000;
const never = new AbortController().signal;
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const patchType = 'application/strategic-merge-patch+json';

interface Node {
  readonly name: string;
  readonly session: ClientHttp2Session;
  /** As the server answered last. */
  lease: string;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-heartbeats-'));
let server = await ApiServerProcess.start(folder);
const open: ClientHttp2Session[] = [];
/** Heartbeats that were not taken, since the last report: a server that gets too little of the CPU refuses some. */
let missed = 0;
try {
  let fleet = await connectNodes();
  await inParallel(fleet, register);
  const admin = server.connect();
  open.push(admin);
  await inParallel(
    Array.from({ length: pods }, (_, index) => index),
    async (index) => await runPod(admin, fleet[index % nodes] as Node, index),
  );
  await beat(fleet, seconds);
  for (const session of open.splice(0)) session.destroy();
  await server[Symbol.asyncDispose]();
  server = await ApiServerProcess.start(folder);
  report(`ready, with ${String(pods)} pods`, server.readyMs, 'ms', '1500');
  await sleep(settleMs, never);
  report('resident memory, nobody connected', (await server.usage()).residentBytes / 1e6, 'MB', '-');
  fleet = await connectNodes();
  await inParallel(fleet, takeUp);
  await beat(fleet, settleMs / 1000);
  missed = 0;
  const [before, storeBefore, startMs] = [await server.usage(), server.storeBytes(), monotonicMs()];
  await beat(fleet, seconds);
  const after = await server.usage();
  const cpuShare = (after.cpuMs - before.cpuMs) / (monotonicMs() - startMs);
  report(`CPU, ${String(nodes)} nodes beat`, cpuShare * 100, '%', '10');
  report('heartbeats that were refused', missed, '', '0');
  report('resident memory meanwhile', after.residentBytes / 1e6, 'MB', '300');
  report('store before', storeBefore / 1e6, 'MB', '-');
  report(`store after ${String(seconds)} s`, server.storeBytes() / 1e6, 'MB', '-');
} finally {
  for (const session of open) session.destroy();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}

function report(what: string, value: number, unit: string, target: string): void {
  console.log(
    `${what.padEnd(40)} ${value.toFixed(value < 100 ? 1 : 0).padStart(8)} ${unit.padEnd(4)} target ${target}`,
  );
}

async function inParallel<T>(items: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  const limit = new ConcurrencyLimit(atOnce);
  await Promise.all(items.map(async (item) => limit.run(async () => await one(item))));
}

/** A connection for each node, and the watch of its pods on it. */
async function connectNodes(): Promise<Node[]> {
  const pki = await openClusterPki(join(folder, 'pki'), nowMs());
  const names = Array.from({ length: nodes }, (_, index) => `node-${String(index)}`);
  const fleet = names.map((name): Node => {
    const session = server.connect(pki.issue(nodeClientCertificate(name), nowMs()));
    open.push(session);
    return { name, session, lease: '' };
  });
  await inParallel(fleet, watchPods);
  return fleet;
}

async function watchPods({ name, session }: Node): Promise<void> {
  const path = `/api/v1/pods?watch=true&allowWatchBookmarks=true&fieldSelector=spec.nodeName%3D${name}`;
  const stream = session.request({ ':path': path });
  stream.on('data', () => {});
  stream.on('error', () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once('response', () => resolve());
  await promise;
}

async function register(node: Node): Promise<void> {
  const { name, session } = node;
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  await send(session, 'POST', '/api/v1/nodes', json('v1', 'Node', { metadata: { name, labels }, spec: {} }));
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() };
  const body = json('coordination.k8s.io/v1', 'Lease', { metadata: { name, namespace: 'kube-node-lease' }, spec });
  node.lease = (await send(session, 'POST', leases, body)).toString();
  await writeStatus(node);
}

async function takeUp(node: Node): Promise<void> {
  node.lease = (await send(node.session, 'GET', `${leases}/${node.name}`)).toString();
}

/** A pod as a controller makes it and a node runs it. */
async function runPod(admin: ClientHttp2Session, { name: nodeName, session }: Node, index: number): Promise<void> {
  const name = `web-7c5ddbdf54-${String(index).padStart(5, '0')}`;
  const container = {
    name: 'main',
    image: 'registry.example.com/team/web:1.27.3',
    ports: [{ name: 'http', containerPort: 8080 }],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
  };
  const metadata = { name, namespace: 'default', labels: { app: 'web', 'pod-template-hash': '7c5ddbdf54' } };
  const pod = json('v1', 'Pod', { metadata, spec: { nodeName, containers: [container] } });
  await send(admin, 'POST', '/api/v1/namespaces/default/pods', pod);
  const startedAt = new Date().toISOString().replace(/\.\d+/, '');
  const types = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  const status = {
    phase: 'Running',
    hostIP: '10.0.0.1',
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    startTime: startedAt,
    qosClass: 'Burstable',
    conditions: types.map((type) => ({ type, status: 'True', lastTransitionTime: startedAt })),
    containerStatuses: [
      {
        name: 'main',
        image: container.image,
        imageID: `registry.example.com/team/web@sha256:${'0123456789abcdef'.repeat(4)}`,
        containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt } },
      },
    ],
  };
  await send(session, 'PATCH', `/api/v1/namespaces/default/pods/${name}/status`, JSON.stringify({ status }), patchType);
}

/** Heartbeats of all nodes for some seconds, spread evenly; ends when all of them are answered. */
async function beat(fleet: readonly Node[], lengthSeconds: number): Promise<void> {
  const startMs = monotonicMs();
  const running: Promise<void>[] = [];
  const paced = async (everyMs: number, one: (node: Node) => Promise<void>): Promise<void> => {
    for (let index = 0; index * (everyMs / nodes) < lengthSeconds * 1000; index += 1) {
      const waitMs = startMs + index * (everyMs / nodes) - monotonicMs();
      if (waitMs > 0) await sleep(waitMs, never);
      running.push(one(fleet[index % nodes] as Node).catch(() => void (missed += 1)));
    }
  };
  await Promise.all([paced(leaseEveryMs, renew), paced(statusEveryMs, writeStatus)]);
  await Promise.all(running);
}

/** As a kubelet does: the lease as it got it, with a new time. */
async function renew(node: Node): Promise<void> {
  const body = node.lease.replace(/"renewTime":"[^"]*"/, `"renewTime":"${microTime()}"`);
  node.lease = (await send(node.session, 'PUT', `${leases}/${node.name}`, body)).toString();
}

async function writeStatus({ name, session }: Node): Promise<void> {
  const time = new Date().toISOString().replace(/\.\d+/, '');
  const types = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'];
  const conditions = types.map((type) => ({
    type,
    status: type === 'Ready' ? 'True' : 'False',
    reason: `Kubelet${type}`,
    message: 'kubelet is fine',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  }));
  const amounts = { cpu: '8', memory: '32Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  const images = Array.from({ length: 20 }, (_, index) => ({
    names: [`registry.example.com/team/image-${String(index)}:1.0.${String(index)}`],
    sizeBytes: 50_000_000 + index,
  }));
  const addresses = [{ type: 'InternalIP', address: '10.0.0.1' }];
  const status = { conditions, capacity: amounts, allocatable: amounts, addresses, images };
  await send(session, 'PATCH', `/api/v1/nodes/${name}/status`, JSON.stringify({ status }), patchType);
}

function json(apiVersion: string, kind: string, rest: object): string {
  return JSON.stringify({ apiVersion, kind, ...rest });
}

/** RFC 3339 with six digits after the second, as Leases have it. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
