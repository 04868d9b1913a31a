import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { parseReference } from '#formats/reference.ts';
import { chunked, collect, ImageRoom, layerTar, noise } from '#kit/image-room.ts';

const never = new AbortController().signal;

test('a root filesystem becomes an image of one layer, whatever its compression', async () => {
  await using room = await ImageRoom.open();
  const tar = await layerTar({ 'etc/os-release': 'ID=x', 'bin/x': noise(40_000) });
  const options = { created: '2020-01-02T03:04:05Z', message: 'from a test', config: { Cmd: ['x'], Env: ['A=b'] } };
  const ids = new Set<string>();
  for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
    const image = await room.images.import(chunked(bytes, 999), { ...options, tag: parseReference('rootfs') }, never);
    ids.add(image.id);
    assert.deepEqual(image.tags, ['rootfs:latest']);
    assert.deepEqual(image.config.config, options.config);
    assert.deepEqual(image.config.history, [{ created: options.created, comment: 'from a test' }]);
    assert.deepEqual(await collect(room.snapshots.pack(image.topLayer ?? assert.fail(), never)), tar);
  }
  assert.equal(ids.size, 1);
  assert.equal(room.snapshots.unpacked, 1);
  const platform = { os: 'linux', architecture: 'riscv64' };
  assert.equal((await room.images.import(chunked(tar), { platform }, never)).config.architecture, 'riscv64');
});

test('what is broken or foreign is refused and leaves nothing', async () => {
  await using room = await ImageRoom.open();
  const whole = gzipSync(await layerTar({ a: noise(50_000) }));
  await assert.rejects(room.images.import(chunked(whole.subarray(0, 20_000)), {}, never), { reason: 'Damaged' });
  await assert.rejects(room.images.import(chunked(Buffer.from('fd377a585a000000', 'hex')), {}, never), {
    reason: 'Damaged',
  });
  const client = new AbortController();
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield whole.subarray(0, 30_000);
    client.abort(new Error('gone'));
    yield whole.subarray(30_000);
  };
  await assert.rejects(room.images.import(source(), {}, client.signal), { message: 'gone' });
  assert.deepEqual(room.images.list(), []);
  assert.deepEqual(room.snapshots.layers(), []);
  assert.deepEqual(await room.leftovers(), []);
});

test('closing the images ends what runs, and waits until it has cleaned up', async () => {
  await using room = await ImageRoom.open();
  const begun = Promise.withResolvers<void>();
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1000);
    begun.resolve();
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      yield Buffer.alloc(1000);
    }
  };
  const running = room.images.import(source(), {}, never);
  const refused = assert.rejects(running, { reason: 'Unavailable' });
  await begun.promise;
  await room.reopen();
  await refused;
  assert.deepEqual(await room.leftovers(), []);
});
