import assert from 'node:assert/strict';
import { test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { createLogger } from '#base/logger.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import { openMemoryStore } from '#store/memory/open-memory-store.ts';
import type { Change, Store } from '#store/store.ts';

import { ResourceTable } from '../resources/resource-table.ts';
import { apiObjects } from './api-objects.ts';
import { ChangeHub } from './change-hub.ts';

/** A store whose watches end with an error when they are told to, and that answers nothing while it is down. */
class FaultyStore implements Store {
  isDown = false;
  readonly #inner: Store;
  #cut = new AbortController();

  constructor(inner: Store) {
    this.#inner = inner;
  }

  cutWatches(): void {
    this.#cut.abort();
    this.#cut = new AbortController();
  }

  get: Store['get'] = async (...of) => await this.#inner.get(...of);
  put: Store['put'] = async (...of) => await this.#inner.put(...of);
  remove: Store['remove'] = async (...of) => await this.#inner.remove(...of);
  compact: Store['compact'] = async (...of) => await this.#inner.compact(...of);

  list: Store['list'] = async (...of) => {
    this.#check();
    return await this.#inner.list(...of);
  };

  revision: Store['revision'] = async (...of) => {
    this.#check();
    return await this.#inner.revision(...of);
  };

  async *watch(prefix: string, since: bigint, signal: AbortSignal): AsyncGenerator<Change, void, undefined> {
    const cut = this.#cut.signal;
    this.#check();
    yield* this.#inner.watch(prefix, since, AbortSignal.any([signal, cut]));
    if (!signal.aborted) throw new StatusError('Expired', 'Cannot watch: the revision was compacted');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #check(): void {
    if (this.isDown) throw new StatusError('Unavailable', 'Cannot read the store: it is down');
  }
}

test('whoever follows objects hears of everything again after the store was away, also of what went meanwhile', async (t) => {
  const store = new FaultyStore(openMemoryStore());
  const warnings: string[] = [];
  const logger = createLogger({ level: 'warn', format: 'json', write: (line) => warnings.push(line) });
  const hub = new ChangeHub(store, logger, true);
  const stop = new AbortController();
  t.after(async () => {
    stop.abort();
    await hub[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  await hub.start(stop.signal);
  const objects = apiObjects(new ResourceTable(hub, kinds, { eventTtlSeconds: 3600 }), () => 0, logger);
  const roles = { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' };
  const make = async (name: string): Promise<unknown> =>
    await objects.create(
      roles,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } },
      stop.signal,
    );
  await make('a');
  await make('b');
  const changes = objects.follow(roles, stop.signal)[Symbol.asyncIterator]();
  const next = async (count: number): Promise<readonly string[]> => {
    const heard: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const { value } = await changes.next();
      heard.push(`${value.type as string} ${(value.object?.metadata.name ?? '') as string}`.trim());
    }
    return heard;
  };
  assert.deepEqual(await next(3), ['put a', 'put b', 'synced']);

  store.isDown = true;
  store.cutWatches();
  const key = '/registry/rbac.authorization.k8s.io/clusterroles/a';
  const stored = await store.get(key, stop.signal);
  await store.remove(key, stored?.revision ?? 0n, stop.signal);
  const heard = next(4);
  await new Promise((resolve) => setImmediate(resolve));
  store.isDown = false;
  await make('c');
  assert.deepEqual((await heard).toSorted(), ['put b', 'put c', 'remove a', 'synced']);
  await make('d');
  assert.deepEqual(await next(1), ['put d']);
  assert.ok(warnings.length > 0);
});
