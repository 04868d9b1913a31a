import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { FakeImages } from '#kit/fake-images.ts';
import { FakeSnapshots } from '#kit/fake-snapshots.ts';
import type { Layer } from '../snapshots/snapshots.ts';
import { sweepLayers } from './layer-sweep.ts';

interface Tree {
  readonly snapshots: FakeSnapshots;
  readonly images: FakeImages;
  readonly layers: Readonly<Record<'base' | 'left' | 'leaf' | 'right', Layer>>;
}

/** base <- left <- leaf, base <- right */
async function grow(t: TestContext): Promise<Tree> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-sweep-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const snapshots = new FakeSnapshots(folder);
  const base = await snapshots.make(undefined, { base: '1' });
  const left = await snapshots.make(base.chainId, { left: '1' });
  const leaf = await snapshots.make(left.chainId, { leaf: '1' });
  const right = await snapshots.make(base.chainId, { right: '1' });
  return { snapshots, images: new FakeImages(), layers: { base, left, leaf, right } };
}

function left({ snapshots, layers }: Tree): readonly string[] {
  return Object.entries(layers).flatMap(([name, { chainId }]) =>
    snapshots.layer(chainId) === undefined ? [] : [name],
  );
}

async function sweep(
  { images, snapshots, layers }: Tree,
  cached: readonly (keyof Tree['layers'])[] = [],
  from = Object.keys(layers),
) {
  return await sweepLayers(
    { images: images.images, snapshots, cached: cached.map((name) => layers[name].chainId) },
    from.map((name) => layers[name as keyof Tree['layers']].chainId),
  );
}

test('what nothing names goes, the topmost first', async (t) => {
  const tree = await grow(t);
  const { removed, freedBytes } = await sweep(tree);
  assert.equal(removed.length, 4);
  assert.equal(freedBytes, 4);
  assert.deepEqual(left(tree), []);
});

test('images and the cache keep a layer and all below it', async (t) => {
  const tree = await grow(t);
  tree.images.offer('app:1', tree.layers.left);
  await sweep(tree, ['right']);
  assert.deepEqual(left(tree), ['base', 'left', 'right']);
});

test('a writable snapshot keeps what it stands on', async (t) => {
  const tree = await grow(t);
  await tree.snapshots.create('container', tree.layers.leaf.chainId);
  await sweep(tree);
  assert.deepEqual(left(tree), ['base', 'left', 'leaf']);
});

test('only candidates and what lies below them are looked at', async (t) => {
  const tree = await grow(t);
  await sweep(tree, [], ['leaf']);
  assert.deepEqual(left(tree), ['base', 'right'], 'right keeps the base');
});
