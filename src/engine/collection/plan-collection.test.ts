import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Digest } from '#formats/oci.ts';

import type { CacheEntry } from '../build/builder.ts';
import {
  type CollectableImage,
  planCollection,
  type CollectionRules,
  type CollectionState,
} from './plan-collection.ts';

const hourMs = 3_600_000;
const rules: CollectionRules = {
  buildCacheMostBytes: 100,
  freeLeastBytes: 0,
  danglingMostMs: 24 * hourMs,
  unusedMostMs: undefined,
};
const digest = (name: string): Digest => `sha256:${name}`;
/** `base` below `app` and `other`. */
const layers: Readonly<Record<string, { parent: Digest | undefined; sizeBytes: number }>> = {
  [digest('base')]: { parent: undefined, sizeBytes: 1000 },
  [digest('app')]: { parent: digest('base'), sizeBytes: 10 },
  [digest('other')]: { parent: digest('base'), sizeBytes: 20 },
};

function image(name: string, ageHours: number, change: Partial<CollectableImage> = {}): CollectableImage {
  const unusedSinceMs = 1000 * hourMs - ageHours * hourMs;
  return { id: digest(`image-${name}`), name: '', topLayer: digest(name), unusedSinceMs, inUse: false, ...change };
}

function entry(id: string, sizeBytes: number, change: Partial<CacheEntry> = {}): CacheEntry {
  const unused = {
    kind: 'step' as const,
    parents: [],
    inUse: false,
    shared: false,
    createdAtMs: 0,
    usedAtMs: 0,
    uses: 0,
  };
  return { ...unused, id, description: `RUN ${id}`, sizeBytes, ...change };
}

function state(change: Partial<CollectionState>): CollectionState {
  return { nowMs: 1000 * hourMs, freeBytes: 5000, images: [], cache: [], layer: (id) => layers[id], ...change };
}

const ids = (plan: ReturnType<typeof planCollection>): readonly string[] => plan.map(({ id }) => id);

test('old images without a name go, named and used ones stay', () => {
  const images = [
    image('app', 30),
    image('other', 30, { inUse: true }),
    image('base', 30, { name: 'base:1' }),
    { ...image('app', 2), id: digest('fresh') },
  ];
  const plan = planCollection(rules, state({ images }));
  assert.deepEqual(ids(plan), [digest('image-app')]);
  assert.match(plan[0]?.why ?? '', /nothing names or uses it since 30 h, and 24 h are allowed/);
});

test('a layer that several images have counts when the last of them goes', () => {
  const plan = planCollection(rules, state({ images: [image('app', 40), image('other', 30)] }));
  assert.deepEqual(
    plan.map(({ freesBytes }) => freesBytes),
    [10, 1020],
  );
  const kept = planCollection(rules, state({ images: [image('app', 40), image('other', 30, { inUse: true })] }));
  assert.deepEqual(
    kept.map(({ freesBytes }) => freesBytes),
    [10],
  );
});

test('images with names go only when told so, and never for a full disk alone', () => {
  const images = [image('base', 500, { name: 'base:1' })];
  assert.deepEqual(planCollection({ ...rules, freeLeastBytes: 9000 }, state({ images })), []);
  assert.equal(planCollection({ ...rules, unusedMostMs: 400 * hourMs }, state({ images })).length, 1);
});

test('the build cache shrinks to its budget, entries that others stand on last', () => {
  const cache = [
    entry('below', 60, { usedAtMs: 1 }),
    entry('above', 30, { parents: ['below'], usedAtMs: 2 }),
    entry('used', 50, { inUse: true, usedAtMs: 3 }),
    entry('shared', 900, { shared: true, usedAtMs: 4 }),
  ];
  const plan = planCollection(rules, state({ cache }));
  assert.deepEqual(ids(plan), ['above', 'below']);
  assert.deepEqual(
    plan.map(({ freesBytes }) => freesBytes),
    [30, 60],
  );
});

test('a disk that is nearly full takes young images without names and the cache', () => {
  const plan = planCollection(
    { ...rules, freeLeastBytes: 6020 },
    state({ images: [image('base', 1)], cache: [entry('a', 15), entry('b', 15), entry('c', 15)] }),
  );
  assert.deepEqual(ids(plan), [digest('image-base'), 'a', 'b']);
  assert.match(plan[0]?.why ?? '', /the disk is nearly full/);
});

test('nothing that is used is ever collected, and the budget holds where it can', () => {
  const anyEntry = fc.record({ sizeBytes: fc.nat(50), inUse: fc.boolean(), shared: fc.boolean(), parent: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 12 }), fc.nat(200), (rows, buildCacheMostBytes) => {
      const cache = rows.map(({ parent, ...row }, index) =>
        entry(String(index), row.sizeBytes, { ...row, parents: parent < index ? [String(parent)] : [] }),
      );
      const plan = planCollection({ ...rules, buildCacheMostBytes }, state({ cache }));
      const gone = new Set(ids(plan));
      const left = cache.filter(({ id }) => !gone.has(id));
      assert.ok(cache.every(({ id, inUse }) => !inUse || !gone.has(id)));
      for (const { parents } of left) assert.ok(parents.every((id) => !gone.has(id)));
      const leftBytes = left.reduce((sum, { shared, sizeBytes }) => sum + (shared ? 0 : sizeBytes), 0);
      const isHeld = ({ id }: CacheEntry): boolean =>
        left.some(({ parents, inUse, id: own }) => (inUse && own === id) || parents.includes(id));
      assert.ok(leftBytes <= buildCacheMostBytes || left.every(isHeld));
    }),
    { numRuns: 200 },
  );
});
