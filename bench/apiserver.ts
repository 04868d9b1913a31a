/**
 * The Kubernetes API server over HTTP/2 with TLS: start, memory, reads, durable creates, lists and watchers:
 * `node bench/apiserver.ts`. There is no kube-apiserver to be had beside it; the targets are in the last column. Load comes from
 * h2load (Debian's nghttp2-client), with the token of a service account that RBAC lets in.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { monotonicMs, sleep } from '#base/clock.ts';

import { ApiServerProcess, send } from './apiserver-process.ts';
import { requestsPerSecond } from './h2load.ts';

const pods = '/api/v1/namespaces/default/pods';
const connections = 4;
const getsAtOnce = 16;
/** All connections together stay below the places for requests that write. */
const createsAtOnce = 24;
const measureMs = 5_000;
const pacedPerSecond = 200;
const listed = 5_000;
const watchers = 500;
const never = new AbortController().signal;
const containers = [{ name: 'main', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }];

const folder = mkdtempSync(join(tmpdir(), 'bench-apiserver-'));
/** Caches and compiled code settle meanwhile. */
const settleMs = 25_000;
let server = await ApiServerProcess.start(folder);
try {
  report('ready, nothing there', server.readyMs, 'ms', '-');
  await restart();
  report('ready, empty cluster', server.readyMs, 'ms', '1500');
  report('resident memory, empty cluster', await residentMb(), 'MB', '90');
  const sessions = Array.from({ length: connections }, () => server.connect());
  const [first] = sessions;
  if (first === undefined) throw new Error('no connection');
  const token = await accountToken(first);
  await create(first, 'c-0');
  for (const [what, url, body] of creations())
    report(`creates of ${what}, durable`, await rate(token, url, body), '/s', '3000');
  report('gets', await rate(token, `${pods}/c-0`), '/s', '15000');
  report(
    `get at ${String(pacedPerSecond)}/s, p99`,
    await paced((index) => get(of(sessions, index), `${pods}/c-0`)),
    'ms',
    '5',
  );
  report(
    `create at ${String(pacedPerSecond)}/s, p99`,
    await paced((index) => create(of(sessions, index), `p-${String(index)}`)),
    'ms',
    '25',
  );
  report(
    `list of ${String(listed)} pods`,
    await median(5, async () => get(first, `${pods}?limit=${String(listed)}&resourceVersion=0`)),
    'ms',
    '150',
  );
  report(`${String(watchers)} watchers hear of a write`, await heard(sessions), 'ms', '50');
  report('resident memory afterwards', await residentMb(), 'MB', '300');
  for (const session of sessions) session.destroy();
  await restart();
  report('ready, with the objects of above', server.readyMs, 'ms', '1500');
} finally {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}

function report(what: string, value: number, unit: string, target: string): void {
  console.log(
    `${what.padEnd(40)} ${value.toFixed(value < 100 ? 1 : 0).padStart(8)} ${unit.padEnd(4)} target ${target}`,
  );
}

async function restart(): Promise<void> {
  await server[Symbol.asyncDispose]();
  server = await ApiServerProcess.start(folder);
}

async function residentMb(): Promise<number> {
  await sleep(settleMs, never);
  return (await server.usage()).residentBytes / 1e6;
}

function of(sessions: readonly ClientHttp2Session[], index: number): ClientHttp2Session {
  return sessions[index % sessions.length] as ClientHttp2Session;
}

async function get(session: ClientHttp2Session, path: string): Promise<void> {
  await send(session, 'GET', path);
}

async function create(session: ClientHttp2Session, name: string): Promise<void> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'bench' } }, spec: { containers } };
  await send(session, 'POST', pods, JSON.stringify(pod));
}

/** A small object, and one of those that most is checked of. */
function creations(): readonly (readonly [what: string, url: string, body: object])[] {
  const metadata = { generateName: 'c-', labels: { app: 'bench' } };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'app.conf': 'x'.repeat(1000) } };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } };
  return [
    ['config maps', '/api/v1/namespaces/default/configmaps', configMap],
    ['pods', pods, pod],
  ];
}

async function rate(token: string, path: string, body?: object): Promise<number> {
  const load = {
    url: `${server.url}${path}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    connections,
    seconds: measureMs / 1000,
  };
  if (body === undefined) return requestsPerSecond({ ...load, atOnce: getsAtOnce });
  const bodyFile = join(folder, 'body.json');
  writeFileSync(bodyFile, JSON.stringify(body));
  return requestsPerSecond({ ...load, atOnce: createsAtOnce, bodyFile });
}

/** A token of an account that may do everything: h2load shows no certificates. */
async function accountToken(session: ClientHttp2Session): Promise<string> {
  const group = 'rbac.authorization.k8s.io';
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
  };
  await send(session, 'POST', `/apis/${group}/v1/clusterrolebindings`, JSON.stringify(binding));
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
  const answer = JSON.parse((await send(session, 'POST', path, JSON.stringify(request))).toString()) as {
    readonly status: { readonly token: string };
  };
  return answer.status.token;
}

/** The 99th percentile of the time of requests that come at a steady rate. */
async function paced(one: (index: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  const running: Promise<void>[] = [];
  const startMs = monotonicMs();
  for (let index = 0; index < (measureMs / 1000) * pacedPerSecond; index += 1) {
    const waitMs = startMs + (index * 1000) / pacedPerSecond - monotonicMs();
    if (waitMs > 0) await sleep(waitMs, never);
    const sentMs = monotonicMs();
    running.push(one(index).then(() => void times.push(monotonicMs() - sentMs)));
  }
  await Promise.all(running);
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
}

async function median(rounds: number, one: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startMs = monotonicMs();
    await one();
    times.push(monotonicMs() - startMs);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

/** From the answer of a create until the last of all watchers has its event. */
async function heard(sessions: readonly ClientHttp2Session[]): Promise<number> {
  const own = Array.from({ length: connections }, () => server.connect());
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let left = watchers;
  let ready = 0;
  const path = `${pods}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&labelSelector=bench=watch`;
  for (let index = 0; index < watchers; index += 1) {
    const stream = of(own, index).request({ ':path': path });
    stream.on('data', (chunk: Buffer) => {
      const text = chunk.toString();
      if (text.includes('"BOOKMARK"')) ready += 1;
      if (ready === watchers) begun.resolve();
      if (text.includes('"ADDED"')) left -= 1;
      if (left === 0) resolve();
    });
    stream.on('error', () => {});
  }
  await begun.promise;
  const metadata = { name: 'watched', labels: { bench: 'watch' } };
  await send(
    of(sessions, 0),
    'POST',
    pods,
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } }),
  );
  const startMs = monotonicMs();
  await promise;
  for (const session of own) session.destroy();
  return monotonicMs() - startMs;
}
