import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import type { Digest } from '#formats/oci.ts';
import { BlobCache } from './blob-cache.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

async function open(t: TestContext, budgetBytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cache-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'blobs');
  const put = async (cache: BlobCache, letter: string, usedS: number): Promise<void> => {
    await writeFile(join(folder, letter), Buffer.alloc(100));
    await utimes(join(folder, letter), usedS, usedS);
    await cache.adopt(digest(letter), join(folder, letter));
  };
  const restart = async (): Promise<BlobCache> => {
    const cache = new BlobCache({ path, budgetBytes });
    await cache.open();
    return cache;
  };
  const kept = async () => (await readdir(path)).map((name) => name.replaceAll(/(.)\1+/g, '$1')).toSorted();
  return { path, put, restart, kept };
}

test('what was not used for longest goes first, what is held stays', async (t) => {
  const { put, restart, kept } = await open(t, 250);
  const cache = await restart();
  await put(cache, 'a', 1000);
  await put(cache, 'b', 2000);
  await cache.touch(digest('a'));
  await put(cache, 'c', 3000);
  assert.deepEqual(await kept(), ['a', 'c']);
  const hold = cache.hold(digest('c'));
  await put(cache, 'd', 4000);
  assert.deepEqual(await kept(), ['a', 'c']);
  assert.equal(cache.has(digest('d')), false);
  await cache.clear();
  assert.deepEqual(await kept(), ['c']);
  await hold[Symbol.asyncDispose]();
  assert.equal(cache.sizeBytes, 100);
});

test('a restart knows what is there, and clears what is old or strange', async (t) => {
  const { path, put, restart, kept } = await open(t, 1000);
  await put(await restart(), 'a', 1000);
  const [old, fresh] = [join(path, `${'b'.repeat(64)}.part`), join(path, `${'c'.repeat(64)}.part`)];
  await writeFile(old, 'old');
  await utimes(old, 1000, 1000);
  await writeFile(fresh, 'fresh');
  await writeFile(join(path, 'strange'), '');
  const cache = await restart();
  assert.deepEqual(await kept(), ['a', 'c.part']);
  assert.equal(cache.sizeBytes, 105);
  await cache.remove(digest('c'));
  await cache.remove(digest('a'));
  assert.deepEqual(await kept(), []);
});

test('a budget of nothing keeps nothing that nobody holds', async (t) => {
  const { put, restart, kept } = await open(t, 0);
  const cache = await restart();
  const hold = cache.hold(digest('a'));
  await put(cache, 'a', 1000);
  assert.deepEqual(await kept(), ['a']);
  await hold[Symbol.asyncDispose]();
  assert.deepEqual(await kept(), []);
});
