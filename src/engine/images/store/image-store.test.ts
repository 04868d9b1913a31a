import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { createLogger } from '#base/logger.ts';
import { hexOf } from '#formats/oci.ts';
import type { ImageConfig } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { chunked, ImageRoom, layerTar } from '#kit/image-room.ts';
import { chainOf, digestOf } from './chain.ts';

const never = new AbortController().signal;

async function importFile(room: ImageRoom, name: string | undefined, content: string) {
  const tag = name === undefined ? {} : { tag: parseReference(name) };
  return await room.images.import(
    chunked(await layerTar({ file: content })),
    { created: '2020-01-02T03:04:05Z', ...tag },
    never,
  );
}

describe('names', () => {
  test('an image is found by tag, digest of its configuration, and unique prefix', async () => {
    await using room = await ImageRoom.open();
    const one = await importFile(room, 'app:1', 'one');
    const two = await importFile(room, undefined, 'two');
    const hex = hexOf(one.id);
    for (const name of [
      'app:1',
      'docker.io/library/app:1',
      one.id,
      hex,
      hex.slice(0, 12),
      `sha256:${hex.slice(0, 9)}`,
    ]) {
      assert.equal(room.images.get(name).id, one.id, name);
    }
    assert.deepEqual(room.images.get(two.id).tags, []);
    assert.equal(room.images.find(''), undefined);
    assert.throws(() => room.images.get('app'), { reason: 'NotFound', message: 'No such image: app:latest' });
    assert.throws(() => room.images.get('App'), { reason: 'InvalidArgument', message: /must be lowercase/ });
    const absent = 'f'.repeat(64);
    assert.throws(() => room.images.get(absent), { reason: 'NotFound', message: `No such image: sha256:${absent}` });
  });

  test('a tag that looks like an ID wins over the ID; a tag moves from image to image', async () => {
    await using room = await ImageRoom.open();
    const one = await importFile(room, 'app:1', 'one');
    const two = await importFile(room, 'app:2', 'two');
    const prefix = hexOf(one.id).slice(0, 12);
    await room.images.tag(two.id, parseReference(prefix));
    assert.equal(room.images.get(prefix).id, two.id);
    await room.images.tag('app:2', parseReference('app:1'));
    assert.deepEqual(room.images.get(one.id).tags, []);
    assert.deepEqual(room.images.get(two.id).tags, [`${prefix}:latest`, 'app:1', 'app:2'].toSorted());
    assert.ok(room.images.get(two.id).lastTaggedNs > 0n);
    await assert.rejects(room.images.tag('app:2', parseReference(`x@${one.id}`)), { reason: 'InvalidArgument' });
  });

  test('the same bytes are the same image, and an image needs its layers', async () => {
    await using room = await ImageRoom.open();
    const one = await importFile(room, 'app:1', 'same');
    const two = await importFile(room, 'app:2', 'same');
    assert.equal(one.id, two.id);
    assert.equal(room.images.list().length, 1);
    assert.equal(digestOf(two.configBytes), two.id);
    const config: ImageConfig = { ...one.config, rootfs: { type: 'layers', diff_ids: [digestOf('x')] } };
    await assert.rejects(room.images.add({ config }, never), {
      reason: 'NotFound',
      message: /layer sha256:.* is not there/,
    });
    const scratch: ImageConfig = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
    assert.equal((await room.images.add({ config: scratch }, never)).topLayer, undefined);
  });
});

describe('a restart', () => {
  test('everything that was acknowledged is there again', async () => {
    await using room = await ImageRoom.open();
    await importFile(room, 'app:1', 'one');
    const base = await importFile(room, undefined, 'two');
    await room.images.add(
      { config: { ...base.config, author: 'child' }, parent: base.id, tags: [parseReference('child')] },
      never,
    );
    const plain = () =>
      room.images.list().map((image) => ({ ...image, configBytes: Buffer.from(image.configBytes).toString() }));
    const before = plain();
    await room.reopen();
    assert.deepEqual(
      plain().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      before.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    assert.equal(room.images.get('child').parent, base.id);
  });

  test('damaged records are reported and moved aside, and stop nobody', async () => {
    const reports: string[] = [];
    const logger = createLogger({ level: 'error', format: 'json', write: (line) => void reports.push(line) });
    await using room = await ImageRoom.open({ logger });
    const good = await importFile(room, 'good:1', 'good');
    const [a, b, c] = [
      await importFile(room, 'a:1', 'a'),
      await importFile(room, 'b:1', 'b'),
      await importFile(room, 'c:1', 'c'),
    ];
    await writeFile(join(room.dataDir, 'images', `${hexOf(a.id)}.json`), '{"parent":');
    await writeFile(join(room.dataDir, 'blobs', hexOf(b.id)), 'other bytes');
    await room.snapshots.removeLayer(c.topLayer ?? assert.fail());
    const name = hexOf(digestOf('docker.io/library/good:1'));
    await writeFile(join(room.dataDir, 'names', `${'0'.repeat(64)}.json`), '[]');
    await writeFile(join(room.dataDir, 'names', 'stray'), '');
    await writeFile(join(room.dataDir, 'names', `.${name}.json.0123456789ab.tmp`), 'half');
    await writeFile(join(room.dataDir, 'scratch', 'left'), 'from a crash');
    await room.reopen();
    assert.deepEqual(
      room.images.list().map(({ id }) => id),
      [good.id],
    );
    assert.deepEqual(room.images.get('good:1').tags, ['good:1']);
    // Three images with a name each, a name that is no record, a stray file.
    assert.equal((await readdir(join(room.dataDir, 'damaged'))).length, 8);
    assert.equal(reports.length, 8);
    assert.deepEqual(await readdir(join(room.dataDir, 'scratch')), []);
    await room.reopen();
    assert.equal(reports.length, 8, 'what was moved aside is not met again');
    await importFile(room, 'a:1', 'a');
    assert.equal(room.images.get('a:1').id, a.id);
  });

  test('layers of an interrupted pull go, those that something stands on stay', async () => {
    await using room = await ImageRoom.open();
    const kept = await importFile(room, 'kept:1', 'kept');
    const half = await layerTar({ half: 'half' });
    const built = await layerTar({ built: 'built' });
    const [halfId, builtId] = [digestOf(half), digestOf(built)];
    await room.snapshots.unpack(undefined, chunked(half), halfId, never);
    await room.snapshots.unpack(undefined, chunked(built), builtId, never);
    await room.snapshots.create('a container', builtId);
    const chain = [...chainOf(kept.config.rootfs.diff_ids), halfId, builtId, digestOf('never made')];
    await writeFile(join(room.dataDir, 'intents', `${'1'.repeat(64)}.json`), JSON.stringify({ chain }));
    await room.reopen();
    assert.deepEqual(new Set(room.snapshots.layers().map(({ chainId }) => chainId)), new Set([kept.topLayer, builtId]));
    assert.deepEqual(await room.leftovers(), []);
  });
});
