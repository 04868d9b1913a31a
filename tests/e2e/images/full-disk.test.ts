import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import { openImages } from '#engine/images/open-images.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { parseReference } from '#formats/reference.ts';

import { commandOutput } from '../../kit/command.ts';
import { collect, layerTar, noise } from '../../kit/image-room.ts';
import { ScriptedRegistry } from '../../kit/scripted-registry.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const never = new AbortController().signal;
const quiet = (): void => {};

test('a disk that fills up is named, nothing is left, and what fits still works', async (t) => {
  const root = makeRoot();
  await commandOutput('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', root]);
  t.after(async () => {
    await commandOutput('umount', [root]);
    rmSync(root, { recursive: true });
  });
  await using registry = await ScriptedRegistry.open();
  const big = [await layerTar({ a: noise(2_000_000) }), await layerTar({ b: noise(9_000_000, 'b') })];
  registry.putImage('big', 'latest', big);
  registry.putImage('small', 'latest', [await layerTar({ a: noise(500_000) })]);
  mkdirSync(join(root, 'snapshots'));
  await using snapshots = await openSnapshots({ dataDir: join(root, 'snapshots'), logger: silentLogger });
  const common = { events: createEventLog(), users: { usersOf: () => [] }, insecureRegistries: [] };
  const options = { ...common, dataDir: join(root, 'images'), snapshots, logger: silentLogger };
  await using images = await openImages(options, never);
  const full = { reason: 'Unavailable', message: /^Cannot .*: no space left on device; free some/ };
  const leftOf = async (): Promise<readonly string[]> => {
    const folders = ['scratch', 'intents', 'blobs', 'layer-blobs', 'images', 'names', 'damaged'];
    const found = await Promise.all(folders.map((folder) => readdir(join(root, 'images', folder))));
    return found.flat();
  };
  await assert.rejects(images.pull(parseReference(`${registry.host}/big`), {}, quiet, never), full);
  assert.deepEqual([images.list(), snapshots.layers(), await leftOf()], [[], [], []]);

  const small = parseReference(`${registry.host}/small`);
  const image = await images.pull(small, {}, quiet, never);
  const saved = await collect(images.save([`${registry.host}/small`], {}, never));
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    yield saved.subarray(0, 512);
    yield* [Buffer.alloc(20_000_000)];
  };
  await assert.rejects(images.import(archive(), {}, never), full);
  assert.deepEqual(
    images.list().map(({ id }) => id),
    [image.id],
  );
  assert.deepEqual(await readdir(join(root, 'images/scratch')), []);
});
