import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import type { Builder, CacheEntry } from '#engine/build/builder.ts';
import type { Engine } from '#engine/engine.ts';

import { instancePaths } from '../instance-paths.ts';
import { collectionPlane } from './collection.ts';

const config = {
  buildCache: { bytes: 100 },
  minFree: { bytes: 0 },
  danglingAfter: 'never',
  unusedAfter: 'never',
  every: 10,
} as const;

function entry(id: string): CacheEntry {
  const times = { createdAtMs: 0, usedAtMs: 0, uses: 1 };
  return { id, kind: 'step', description: id, parents: [], inUse: false, shared: false, sizeBytes: 60, ...times };
}

/** A plane over nothing but a build cache. */
async function start(t: TestContext, cache: CacheEntry[]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'gc-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const pruneCache: Builder['pruneCache'] = async ({ only = () => true }) => {
    const gone = cache.filter(only);
    cache.splice(0, cache.length, ...cache.filter((one) => !gone.includes(one)));
    return { removed: gone.map(({ id }) => id), freedBytes: 60 * gone.length };
  };
  const engine = {
    options: { dataDir },
    images: { list: () => [] },
    containers: { list: () => [] },
    snapshots: { layer: () => undefined },
    builder: { cacheEntries: async () => [...cache], pruneCache },
  } as unknown as Engine;
  const scope = { paths: instancePaths(dataDir), logger: silentLogger, signal: new AbortController().signal };
  return collectionPlane.start(config, { engine }, scope);
}

test('it looks every few minutes, and removes what is beyond the budget', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const cache = [entry('old'), entry('new')];
  await using plane = await start(t, cache);
  t.mock.timers.tick(9 * 60_000);
  // What was begun by then is over when another run has its turn.
  await plane.gives.run({ dryRun: true }, new AbortController().signal);
  assert.equal(cache.length, 2);
  t.mock.timers.tick(60_000);
  await plane.gives.run({ dryRun: true }, new AbortController().signal);
  assert.deepEqual(
    cache.map(({ id }) => id),
    ['new'],
  );
});

test('a dry run says what would go and removes nothing', async (t) => {
  const cache = [entry('old'), entry('new')];
  await using plane = await start(t, cache);
  const { items, freedBytes } = await plane.gives.run({ dryRun: true }, new AbortController().signal);
  assert.deepEqual([items.map(({ id }) => id), freedBytes, cache.length], [['old'], 0, 2]);
  const done = await plane.gives.run({ dryRun: false }, new AbortController().signal);
  assert.deepEqual([done.freedBytes, cache.length], [60, 1]);
});
