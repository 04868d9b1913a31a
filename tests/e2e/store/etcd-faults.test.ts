import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { reasonOf } from '#base/errors.ts';
import { openEtcdStore } from '#store/etcd/open-etcd-store.ts';
import type { Change, Store } from '#store/store.ts';

import { commandOutput } from '../../kit/command.ts';
import { type Etcd, startEtcd } from '../../kit/etcd.ts';
import { eventually } from '../../kit/eventually.ts';
import { bytes, never, reason, text } from '../../kit/store-suite/driver.ts';
import { changesUntil } from '../../kit/store-suite/watching.ts';
import { tempFolder } from '../../kit/temp-root.ts';

const writers = 4;
const writesBetween = 40;

test('kill -9 of etcd loses nothing acknowledged, and watches go on without a gap', async (t) => {
  const etcd = await startEtcd(t);
  await using store = await openEtcdStore(etcd.url, { compactEveryMs: 0 }, never);
  await watchThroughFaults(store, async (round) => {
    if (round > 2) return false;
    await etcd.kill(0);
    etcd.start(0);
    return true;
  });
});

test('of three members one after the other is killed or stands still, and all goes on', async (t) => {
  const etcd = await startEtcd(t, { members: 3 });
  await using store = await openEtcdStore(etcd.url, { compactEveryMs: 0 }, never);
  await watchThroughFaults(store, async (round) => {
    const member = round % 3;
    if (round > 0) restore(etcd, (round - 1) % 3, round > 3);
    if (round === 6) return false;
    if (round >= 3) etcd.pause(member);
    else await etcd.kill(member);
    return true;
  });
});

test('etcd with certificates is used by who has one', async (t) => {
  const folder = tempFolder(t);
  const paths = await makeCertificates(folder);
  const etcd = await startEtcd(t, { tls: paths });
  const [ca, certificate, key] = [paths.ca, paths.certificate, paths.key].map((path) => readFileSync(path, 'utf8'));
  assert.ok(ca !== undefined && certificate !== undefined && key !== undefined);
  await using store = await openEtcdStore(etcd.url, { tls: { ca, client: { certificate, key } } }, never);
  await store.put('/a', bytes('1'), 0n, {}, never);
  assert.equal(text((await store.get('/a', never))?.value), '1');
  await assert.rejects(openEtcdStore(etcd.url, {}, never), reason('Unavailable'));
});

test('what was before goes by itself after a while', async (t) => {
  const etcd = await startEtcd(t);
  await using store = await openEtcdStore(etcd.url, { compactEveryMs: 20 }, never);
  const first = await store.put('/a', bytes('1'), 0n, {}, never);
  const second = await store.put('/a', bytes('2'), first, {}, never);
  await store.put('/a', bytes('3'), second, {}, never);
  await eventually('the first revision is compacted', async () => {
    try {
      await store.list('/', { at: first }, never);
      return false;
    } catch (error) {
      return reasonOf(error) === 'Expired';
    }
  });
  assert.equal(text((await store.get('/a', never))?.value), '3');
});

test('where no etcd answers, it is told', async () => {
  await assert.rejects(openEtcdStore('http://127.0.0.1:1', {}, never), reason('Unavailable'));
  for (const url of ['', 'etcd', 'ftp://one', 'http://127.0.0.1:1,nonsense'])
    await assert.rejects(openEtcdStore(url, {}, never), reason('InvalidArgument'));
});

/** Writes and watches while `fault` breaks something, until it returns false. */
async function watchThroughFaults(store: Store, fault: (round: number) => Promise<boolean>): Promise<void> {
  const base = await store.revision(never);
  const stop = new AbortController();
  const seen: Change[] = [];
  const watching = (async () => {
    for await (const change of store.watch('/', base, stop.signal)) if (change.type !== 'progress') seen.push(change);
  })();
  const last = new Map<string, bigint>();
  let goesOn = true;
  for (let round = 0; goesOn; round += 1) {
    goesOn = await fault(round);
    const work = Array.from({ length: writers }, async (_, writer) => await write(store, `/w/${String(writer)}`, last));
    await Promise.all(work);
  }
  for (const [key, revision] of last) assert.ok(((await store.get(key, never))?.revision ?? 0n) >= revision, key);
  const end = await store.revision(never);
  await eventually('the watch has all', () => (seen.at(-1)?.revision ?? 0n) >= end);
  stop.abort();
  await watching;
  const again = await changesUntil(store, '/', base, end);
  assert.deepEqual(seen, again);
  assert.deepEqual(
    seen.map(({ revision }) => revision),
    seen.map((_, index) => base + BigInt(index) + 1n),
  );
}

/** As a client does that meets errors: it reads again, and goes on from there. */
async function write(store: Store, key: string, last: Map<string, bigint>): Promise<void> {
  for (let count = 0; count < writesBetween;) {
    try {
      const present = await store.get(key, never);
      last.set(key, await store.put(key, bytes(String(count)), present?.revision ?? 0n, {}, never));
      count += 1;
    } catch (error) {
      assert.ok(['Unavailable', 'Timeout'].includes(reasonOf(error)), String(error));
    }
  }
}

function restore(etcd: Etcd, member: number, wasPaused: boolean): void {
  if (wasPaused) etcd.goOn(member);
  else etcd.start(member);
}

async function makeCertificates(folder: string): Promise<{ ca: string; certificate: string; key: string }> {
  const at = (name: string): string => join(folder, name);
  const openssl = async (...args: readonly string[]): Promise<string> => await commandOutput('openssl', args);
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...fresh,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=authority',
    '-days',
    '2',
  );
  await openssl(
    'req',
    ...fresh,
    '-keyout',
    at('key.pem'),
    '-out',
    at('request.pem'),
    '-subj',
    '/CN=etcd',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  );
  const signed = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
    '-days',
    '2',
  ];
  await openssl('x509', '-req', '-in', at('request.pem'), ...signed, '-out', at('cert.pem'));
  return { ca: at('ca.pem'), certificate: at('cert.pem'), key: at('key.pem') };
}
