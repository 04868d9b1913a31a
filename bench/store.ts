/**
 * The store: durable creates, reads, lists and watchers, side by side with etcd when that is there:
 * `node bench/store.ts [--rounds N]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { monotonicMs } from '#base/clock.ts';
import { startEtcd } from '#kit/etcd.ts';
import { toolPath } from '#kit/tools.ts';
import { openEtcdStore } from '#store/etcd/open-etcd-store.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';
import type { Store } from '#store/store.ts';

import { median } from './statistics.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
const never = new AbortController().signal;
/** About a pod as JSON. */
const value = new TextEncoder().encode('x'.repeat(2000));
const createMs = 2_000;
const gets = 20_000;
const listed = 5_000;
const watchers = 500;
const events = 50;

/** What is measured, in the order of the table; more is better where the unit is a rate. */
type Measure = readonly [name: string, unit: string, run: (store: Store, round: string) => Promise<number>];

const measures: readonly Measure[] = [
  ...[1, 16, 64].map((writers): Measure => [
    `creates, ${String(writers)} writers`,
    '/s',
    async (store, round) => await createsPerSecond(store, `/bench/${round}-${String(writers)}/`, writers),
  ]),
  ['gets, one after the other', '/s', async (store) => await getsPerSecond(store, 1)],
  ['gets, 16 at once', '/s', async (store) => await getsPerSecond(store, 16)],
  [`list of ${String(listed)}`, 'ms', listMs],
  [`${String(watchers)} watchers hear of a write`, 'ms', watchersMs],
];

const work = mkdtempSync(join(tmpdir(), 'bench-store-'));
const cleanUps: (() => Promise<void> | void)[] = [];
try {
  const stores: (readonly [string, Store])[] = [['sqlite', await openSqliteStore(join(work, 'sqlite'))]];
  const etcd = await etcdUrl();
  if (etcd === undefined) console.log('etcd is not there: ./slipway test unpacks it; SQLite alone');
  else stores.push(['etcd', await openEtcdStore(etcd, {}, never)]);
  for (const [, store] of stores) cleanUps.push(async () => await store[Symbol.asyncDispose]());
  const results = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, store] of stores) {
      for (const [what, , run] of measures) {
        const key = `${name} ${what}`;
        results.set(key, [...(results.get(key) ?? []), await run(store, String(round))]);
      }
    }
  }
  console.log(`values of ${String(value.length)} bytes, ${String(rounds)} rounds, median`);
  for (const [what, unit] of measures) {
    const cells = stores.map(
      ([name]) => `${name} ${median(results.get(`${name} ${what}`) ?? []).toFixed(unit === 'ms' ? 1 : 0)} ${unit}`,
    );
    console.log(`${what.padEnd(34)} ${cells.map((cell) => cell.padEnd(20)).join('')}`);
  }
} finally {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(work, { recursive: true, force: true });
}

async function etcdUrl(): Promise<string | undefined> {
  try {
    toolPath('etcd');
  } catch {
    return undefined;
  }
  return (await startEtcd({ after: (cleanUp) => void cleanUps.push(cleanUp) })).url;
}

async function createsPerSecond(store: Store, prefix: string, writers: number): Promise<number> {
  const start = monotonicMs();
  let count = 0;
  const write = async (): Promise<void> => {
    while (monotonicMs() - start < createMs) await store.put(`${prefix}${String((count += 1))}`, value, 0n, {}, never);
  };
  await Promise.all(Array.from({ length: writers }, write));
  return (count / (monotonicMs() - start)) * 1000;
}

async function getsPerSecond(store: Store, atOnce: number): Promise<number> {
  const { entries } = await store.list('/bench/0-64/', { limit: 1000 }, never);
  const start = monotonicMs();
  let count = 0;
  const read = async (): Promise<void> => {
    while (count < gets) await store.get(entries[(count += 1) % entries.length]?.key ?? '', never);
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return (count / (monotonicMs() - start)) * 1000;
}

async function listMs(store: Store): Promise<number> {
  const writes = Array.from({ length: listed }, async (_, index) => {
    const key = `/list/${String(index)}`;
    if ((await store.get(key, never)) === undefined) await store.put(key, value, 0n, {}, never);
  });
  await Promise.all(writes);
  const start = monotonicMs();
  const { entries } = await store.list('/list/', {}, never);
  if (entries.length !== listed) throw new Error(`listed ${String(entries.length)}`);
  return monotonicMs() - start;
}

/** From the moment a write is acknowledged until the last watcher has it; the median of some writes. */
async function watchersMs(store: Store, round: string): Promise<number> {
  const stop = new AbortController();
  const since = await store.revision(never);
  const heard = new Map<bigint, { count: number; lastMs: number }>();
  const watches = Array.from({ length: watchers }, async () => {
    for await (const { type, revision } of store.watch('/watched/', since, stop.signal)) {
      if (type === 'progress') continue;
      const { count } = heard.get(revision) ?? { count: 0 };
      heard.set(revision, { count: count + 1, lastMs: monotonicMs() });
    }
  });
  const times: number[] = [];
  for (let event = 0; event < events; event += 1) {
    const revision = await store.put(`/watched/${round}/${String(event)}`, value, 0n, {}, never);
    const acknowledgedMs = monotonicMs();
    while (heard.get(revision)?.count !== watchers) await new Promise((resolve) => setImmediate(resolve));
    times.push(Math.max(0, (heard.get(revision)?.lastMs ?? 0) - acknowledgedMs));
  }
  stop.abort();
  await Promise.all(watches);
  return median(times);
}
