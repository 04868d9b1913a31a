import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { BuildWorld } from '#kit/build-world.ts';

const never = new AbortController().signal;

describe('the cache', () => {
  test('a layer that was removed is made again', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM scratch\nRUN write a 1';
    const id = await world.build(text);
    const layer = world.images.find(id)?.topLayer;
    assert.ok(layer);
    await world.snapshots.removeLayer(layer);
    await world.build(text);
    assert.equal(world.ran.length, 2);
    assert.ok(world.snapshots.layer(layer));
  });

  test('two builds of the same do the work once', async (t) => {
    const world = await BuildWorld.create(t);
    const text = 'FROM scratch\nRUN write a 1\nRUN write b 1';
    await world.open();
    const [one, other] = await Promise.all([world.build(text), world.build(text)]);
    assert.equal(one, other);
    assert.equal(world.ran.length, 2);
  });

  test('an aborted build does not take the one that waits for it along', async (t) => {
    const world = await BuildWorld.create(t);
    await world.open();
    const first = new AbortController();
    const second = new AbortController();
    const firstHangs = Promise.withResolvers<void>();
    let hanging = 0;
    world.onHang = () => {
      hanging += 1;
      if (hanging === 1) firstHangs.resolve();
      else second.abort(new Error('second'));
    };
    const text = 'FROM scratch\nRUN hang';
    const one = world.build(text, {}, first.signal);
    await firstHangs.promise;
    const other = world.build(text, {}, second.signal);
    first.abort(new Error('first'));
    const results = await Promise.allSettled([one, other]);
    assert.deepEqual(
      results.map((result) => (result.status === 'rejected' ? (result.reason as Error).message : '')),
      ['first', 'second'],
    );
    assert.equal(hanging, 2);
  });

  test('pruning takes away what only the cache holds', async (t) => {
    const world = await BuildWorld.create(t);
    const builder = await world.open();
    const text = 'FROM base AS a\nRUN write a 1\nFROM base\nRUN --mount=from=a,target=/a write b 1';
    await world.build(text);
    const layers = world.snapshots.layers().length;
    const { freedBytes } = await builder.pruneCache({}, never);
    assert.deepEqual([freedBytes, layers - world.snapshots.layers().length], [1, 1]);
    assert.deepEqual(await builder.cacheEntries(never), []);
    await world.build(text);
    assert.equal(world.ran.length, 4);
  });

  test('at start the leftovers of a crash are swept, and nothing else', async (t) => {
    const world = await BuildWorld.create(t);
    await world.build('FROM base\nRUN write a 1');
    const kept = world.snapshots.layers().length;
    await world.snapshots.create('build-123', undefined);
    await world.snapshots.create('f00', undefined);
    await world.snapshots.make(undefined, { orphan: 'x' });
    await mkdir(join(world.folder, 'build', 'tmp', 'old'));
    await appendFile(join(world.folder, 'build', 'steps.jsonl'), '{"key":"half');
    await world.open();
    assert.deepEqual(world.snapshots.writables(), ['f00']);
    assert.equal(world.snapshots.layers().length, kept);
    assert.deepEqual(await readdir(join(world.folder, 'build', 'tmp')), []);
    await world.build('FROM base\nRUN write a 1');
    assert.equal(world.ran.length, 1, 'the cache is intact');
    assert.doesNotMatch(await readFile(join(world.folder, 'build', 'steps.jsonl'), 'utf8'), /half/);
  });
});
