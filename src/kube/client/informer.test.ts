import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { configMap } from '../kinds/core/config-map.ts';
import { ApiError } from '../status.ts';
import type { ConfigMap } from '../types/gen/core-v1.ts';
import { kindOf } from './client.ts';
import { createClient } from './create-client.ts';
import { Informer, type InformerOptions } from './informer.ts';

const configMaps = kindOf<ConfigMap>(configMap);
const path = '/api/v1/namespaces/ns/configmaps/';

for (const hasWatchList of [true, false]) {
  describe(hasWatchList ? 'an informer' : 'an informer of a server without watch lists', () => {
    test('has what is there, then what changes', async () => {
      await using running = await start(hasWatchList, 'a', 'b');
      const { api, informer, told } = running;
      assert.deepEqual([informer.isSynced, names(informer)], [true, ['a', 'b']]);
      api.put(`${path}c`, map('c'));
      api.put(`${path}a`, map('a', '2'));
      api.remove(`${path}b`);
      await settle();
      assert.deepEqual(names(informer), ['a', 'c']);
      assert.equal(informer.get({ namespace: 'ns', name: 'a' })?.data?.['v'], '2');
      assert.deepEqual(told, ['added a', 'added b', 'added c', 'modified a', 'deleted b']);
    });

    test('goes on where a cut watch ended', async () => {
      await using running = await start(hasWatchList, 'a');
      const { api, informer, told, clock } = running;
      api.put(`${path}b`, map('b'));
      await settle();
      api.cutWatches(new ApiError('ServiceUnavailable', 'gone'));
      api.put(`${path}c`, map('c'));
      const before = api.requests.length;
      await clock.advance(60_000);
      assert.deepEqual(names(informer), ['a', 'b', 'c']);
      assert.deepEqual(told, ['added a', 'added b', 'added c']);
      assert.ok(api.requests.slice(before).every((line) => line.includes('resourceVersion=')));
    });

    test('reads everything again when it missed too much, and tells what differs', async () => {
      await using running = await start(hasWatchList, 'a', 'b');
      const { api, informer, told, clock } = running;
      api.cutWatches();
      api.remove(`${path}a`);
      api.put(`${path}b`, map('b', '2'));
      api.put(`${path}c`, map('c'));
      api.compact();
      await clock.advance(60_000);
      assert.deepEqual(names(informer), ['b', 'c']);
      assert.deepEqual(told.slice(2), ['deleted a', 'modified b', 'added c']);
    });

    test('waits out failures, as long as the server says', async () => {
      const api = new MemoryApi({ hasWatchList });
      api.put(`${path}a`, map('a'));
      const busy = new ApiError('TooManyRequests', 'later', { retryAfterSeconds: 100 });
      api.failures.push({ match: 'GET', error: new ApiError('InternalError', 'x') }, { match: 'GET', error: busy });
      await using running = await run(api);
      const { informer, clock } = running;
      await clock.advance(50_000);
      assert.equal(informer.isSynced, false);
      await clock.advance(100_000);
      assert.deepEqual(names(informer), ['a']);
    });

    test('ends with its signal, and leaves no watch behind', async () => {
      const running = await start(hasWatchList, 'a');
      await running[Symbol.asyncDispose]();
      assert.equal(running.api.watchers, 0);
    });
  });
}

describe('an informer', () => {
  test('takes lists by pages', async () => {
    const api = new MemoryApi({ hasWatchList: false });
    for (let index = 0; index < 1201; index += 1) api.put(`${path}m${String(index)}`, map(`m${String(index)}`));
    await using running = await run(api);
    assert.equal(running.informer.list().length, 1201);
    assert.equal(running.api.requests.filter((line) => line.includes('limit=500')).length, 3);
  });

  test('takes a list when a watch does not say that all has come', async () => {
    const api = new MemoryApi();
    const silent = createClient({
      send: async (request, signal) => {
        if (!request.path.includes('sendInitialEvents')) return api.send(request, signal);
        return api.send({ ...request, path: '/api/v1/configmaps?watch=true&resourceVersion=0' }, signal);
      },
    });
    api.put(`${path}a`, map('a'));
    const clock = new FakeClock();
    const informer = new Informer(silent, configMaps, { clock });
    const stop = new AbortController();
    const done = informer.run(stop.signal);
    await settle();
    assert.equal(informer.isSynced, false);
    await clock.advance(70_000);
    assert.deepEqual([informer.isSynced, names(informer)], [true, ['a']]);
    stop.abort();
    await done;
  });

  test('finds objects by index, as they change', async () => {
    await using running = await run(new MemoryApi(), { indexers: { value: ({ data }) => Object.values(data ?? {}) } });
    const { api, informer } = running;
    api.put(`${path}a`, map('a', 'x'));
    api.put(`${path}b`, map('b', 'x'));
    await settle();
    assert.deepEqual(
      informer.byIndex('value', 'x').map(({ metadata }) => metadata.name),
      ['a', 'b'],
    );
    api.put(`${path}a`, map('a', 'y'));
    api.remove(`${path}b`);
    await settle();
    assert.deepEqual(informer.byIndex('value', 'x'), []);
    assert.deepEqual(
      informer.byIndex('value', 'y').map(({ metadata }) => metadata.name),
      ['a'],
    );
    assert.throws(() => informer.byIndex('other', 'x'), /no index "other"/);
  });

  test('tells a late listener of what is there, and nobody after the end', async () => {
    await using running = await start(true, 'a');
    const told: string[] = [];
    const listening = running.informer.onChange(({ type, object }) =>
      told.push(`${type} ${String(object.metadata.name)}`),
    );
    assert.deepEqual(told, ['added a']);
    listening[Symbol.dispose]();
    running.api.put(`${path}b`, map('b'));
    await settle();
    assert.deepEqual(told, ['added a']);
  });

  test('shows in the end what the server has, whatever happened, and told each step of it', async () => {
    const actions = fc.oneof(
      fc.tuple(fc.constant('put' as const), fc.constantFrom('a', 'b', 'c')),
      fc.tuple(
        fc.constantFrom('remove' as const, 'cut' as const, 'break' as const, 'compact' as const, 'wait' as const),
        fc.constantFrom('a', 'b', 'c'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(actions, { maxLength: 20 }), async (hasWatchList, steps) => {
        await using running = await start(hasWatchList, 'a');
        const { api, informer, clock } = running;
        const mirror = new Set(names(informer));
        informer.onChange(({ type, object }) => {
          const name = object.metadata.name ?? '';
          if (type === 'deleted') mirror.delete(name);
          else mirror.add(name);
        });
        const there = new Set(['a']);
        for (const [action, name] of steps) {
          if (action === 'put') api.put(path + name, map(name, String(api.requests.length)));
          if (action === 'put') there.add(name);
          if (action === 'remove' && there.delete(name)) api.remove(path + name);
          if (action === 'cut') api.cutWatches();
          if (action === 'break') api.cutWatches(new ApiError('InternalError', 'broken'));
          if (action === 'compact') api.compact();
          if (action === 'wait') await settle();
        }
        await clock.advance(120_000);
        assert.deepEqual(names(informer), [...there].toSorted());
        assert.deepEqual([...mirror].toSorted(), [...there].toSorted());
      }),
      { numRuns: 60 },
    );
  });
});

interface Running extends AsyncDisposable {
  readonly api: MemoryApi;
  readonly informer: Informer<ConfigMap>;
  readonly clock: FakeClock;
  readonly told: string[];
}

async function start(hasWatchList: boolean, ...objects: string[]): Promise<Running> {
  const api = new MemoryApi({ hasWatchList });
  for (const name of objects) api.put(path + name, map(name));
  return run(api);
}

async function run(api: MemoryApi, options: InformerOptions<ConfigMap> = {}): Promise<Running> {
  const clock = new FakeClock();
  const informer = new Informer(createClient(api), configMaps, { ...options, clock });
  const told: string[] = [];
  informer.onChange(({ type, object }) => told.push(`${type} ${String(object.metadata.name)}`));
  const stop = new AbortController();
  const done = informer.run(stop.signal);
  await settle();
  return {
    api,
    informer,
    clock,
    told,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
    },
  };
}

function names(informer: Informer<ConfigMap>): string[] {
  return informer
    .list()
    .map(({ metadata }) => metadata.name ?? '')
    .toSorted();
}

function map(name: string, v = '1'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns' }, data: { v } };
}
