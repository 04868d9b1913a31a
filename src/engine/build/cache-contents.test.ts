import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { BuildWorld } from '#kit/build-world.ts';
import type { Builder, CacheEntry } from './builder.ts';

const never = new AbortController().signal;

/** A stage that only the cache holds (a, b), an image on another (c), and a cache mount. */
async function fill(t: TestContext): Promise<{ readonly world: BuildWorld; readonly builder: Builder }> {
  const world = await BuildWorld.create(t);
  const builder = await world.open();
  const lines = [
    'FROM base AS one',
    'RUN write a 1',
    'RUN write b 1',
    'FROM base',
    'RUN --mount=from=one,target=/one --mount=type=cache,target=/kept write c 1',
  ];
  await world.build(lines.join('\n'));
  return { world, builder };
}

const names = (entries: readonly CacheEntry[]): readonly string[] =>
  entries.map(({ description }) => description.replace(/^RUN .*write (.).*/, '$1')).toSorted();

describe('the build cache', () => {
  test('is a list of layers and mounts, with what they stand on and who else has them', async (t) => {
    const { builder, world } = await fill(t);
    const entries = await builder.cacheEntries(never);
    assert.deepEqual(names(entries), ['a', 'b', 'c', 'cached mount /kept', 'time of creation of an image']);
    const find = (name: string): CacheEntry => {
      const found = entries.find((entry) => names([entry])[0] === name);
      assert.ok(found, name);
      return found;
    };
    assert.deepEqual(find('b').parents, [find('a').id]);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => [find(name).sizeBytes, find(name).shared, find(name).uses]),
      [
        [1, false, 1],
        [1, false, 1],
        [1, true, 1],
      ],
    );
    assert.ok(entries.every(({ id }) => id.length <= 25 && id !== ''));
    assert.equal(find('cached mount /kept').kind, 'mount');
    await world.build('FROM base\nRUN write a 1');
    assert.equal((await builder.cacheEntries(never)).find(({ id }) => id === find('a').id)?.uses, 2);
  });

  test('loses what is asked for, and frees what nothing else has', async (t) => {
    const { builder } = await fill(t);
    const shared = await builder.pruneCache({ only: ({ shared }) => shared }, never);
    assert.deepEqual([shared.removed.length, shared.freedBytes], [1, 0]);
    const top = await builder.pruneCache({ only: ({ description }) => description.includes('write b') }, never);
    assert.equal(top.freedBytes, 1);
    assert.deepEqual(names(await builder.cacheEntries(never)), [
      'a',
      'cached mount /kept',
      'time of creation of an image',
    ]);
    assert.equal((await builder.pruneCache({}, never)).freedBytes, 1);
    assert.deepEqual(await builder.cacheEntries(never), []);
  });

  test('keeps as many bytes as the rules say, the latest used ones', async (t) => {
    const { builder, world } = await fill(t);
    await builder.pruneCache({ maxUsedBytes: 100 }, never);
    await builder.pruneCache({ reservedBytes: 2 }, never);
    await builder.pruneCache({ minFreeBytes: 1 }, never);
    assert.equal((await builder.cacheEntries(never)).length, 5, 'nothing has to go');
    await world.build('FROM base AS x\nRUN write a 1\nFROM base\nRUN --mount=from=x,target=/x write d 1');
    await builder.pruneCache({ maxUsedBytes: 1, only: ({ kind }) => kind === 'step' }, never);
    assert.ok(names(await builder.cacheEntries(never)).includes('a'), 'used last');
    await builder.pruneCache({ minFreeBytes: Number.MAX_SAFE_INTEGER, reservedBytes: 1 }, never);
    assert.ok(names(await builder.cacheEntries(never)).includes('a'), 'reserved');
    await builder.pruneCache({ minFreeBytes: Number.MAX_SAFE_INTEGER }, never);
    assert.deepEqual(names(await builder.cacheEntries(never)).includes('a'), false);
  });
});
