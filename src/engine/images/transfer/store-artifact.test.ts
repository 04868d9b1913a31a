import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reasonOf } from '#base/errors.ts';
import type { Digest } from '#formats/oci.ts';
import { chunked, ImageRoom, layerTar, noise } from '#kit/image-room.ts';
import { MemoryStore } from '#kit/memory-store.ts';
import type { LayerArtifact } from '../images.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
const documentType = 'application/vnd.example+json';

async function artifactOf(room: ImageRoom): Promise<LayerArtifact> {
  const tar = await layerTar({ a: noise(30_000) });
  const { config, topLayer } = await room.images.import(chunked(tar), {}, never);
  const [diffId] = config.rootfs.diff_ids;
  if (diffId === undefined || topLayer === undefined) throw new Error('the image has no layer');
  const layers = [{ chainId: topLayer, diffId, parent: undefined }];
  return { layers, documentType, document: Buffer.from('{"a":1}') };
}

test('layers and their document go into a store and come back on another machine', async () => {
  await using from = await ImageRoom.open();
  await using to = await ImageRoom.open();
  const store = new MemoryStore();
  const artifact = await artifactOf(from);
  const manifest = await from.images.storeArtifact(store, artifact, quiet, never);
  assert.equal(store.blobs.get(manifest.digest)?.length, manifest.size);
  const before = store.writes;
  assert.deepEqual(await from.images.storeArtifact(store, artifact, quiet, never), manifest);
  assert.equal(store.writes - before, 2, 'a layer that is there is not written again');

  const remote = await to.images.openStored(store, manifest.digest, never);
  assert.equal(remote.documentType, documentType);
  assert.equal(Buffer.from(remote.document).toString(), '{"a":1}');
  assert.equal(remote.layerCount, 1);
  const layer = artifact.layers[0] ?? assert.fail();
  using held = await remote.fetch([{ diffId: layer.diffId, blob: 0 }], quiet, never);
  assert.equal(held.chainId, layer.chainId);
  assert.ok(to.layers.layer(held.chainId) !== undefined);
});

test('what a store gives is checked', async () => {
  await using from = await ImageRoom.open();
  const store = new MemoryStore();
  const artifact = await artifactOf(from);
  const { digest } = await from.images.storeArtifact(store, artifact, quiet, never);
  const diffId = artifact.layers[0]?.diffId ?? assert.fail();
  const reads = async (): Promise<void> => {
    await using to = await ImageRoom.open();
    const remote = await to.images.openStored(store, digest, never);
    (await remote.fetch([{ diffId, blob: 0 }], quiet, never))[Symbol.dispose]();
  };
  const manifest = JSON.parse(String(store.blobs.get(digest))) as { layers: { digest: Digest }[] };
  const layer = manifest.layers[0]?.digest ?? assert.fail();
  const whole = store.blobs.get(layer) ?? assert.fail();
  const isDamaged = (error: unknown): boolean => reasonOf(error) === 'Damaged';
  store.blobs.set(layer, whole.subarray(1));
  await assert.rejects(reads, isDamaged);
  store.blobs.set(layer, Buffer.concat([whole, whole]));
  await assert.rejects(reads, isDamaged);
  store.blobs.set(layer, whole);
  await reads();
  store.blobs.set(digest, Buffer.from('{}'));
  await assert.rejects(reads, isDamaged);
  store.blobs.delete(digest);
  await assert.rejects(reads, (error) => reasonOf(error) === 'NotFound');
});
