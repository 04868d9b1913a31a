import assert from 'node:assert/strict';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync, zstdCompressSync } from 'node:zlib';

import { shortId } from '#base/ids.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { ImageConfig, Manifest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { chunked, collect, ImageRoom, layerTar, noise, progressLines } from '#kit/image-room.ts';
import { refuse, ScriptedRegistry } from '#kit/scripted-registry.ts';

const never = new AbortController().signal;
const quiet = (): void => {};

describe('push', () => {
  test('a local image is sent once, and pulled back as it was', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const name = `${registry.host}/app:1`;
    const tar = await layerTar({ a: noise(150_000), b: 'b' });
    const image = await room.images.import(chunked(tar), { tag: parseReference(name) }, never);
    const layer = shortId(image.config.rootfs.diff_ids[0] ?? '');

    const first = progressLines();
    const pushed = await room.images.push(parseReference(name), {}, first.onProgress, never);
    const bytes = registry.manifest('app', '1') ?? Buffer.alloc(0);
    assert.equal(pushed.sizeBytes, bytes.length);
    const manifest = JSON.parse(bytes.toString()) as Manifest;
    assert.equal(manifest.mediaType, mediaTypes.dockerManifest);
    assert.deepEqual(gunzipSync(registry.blobs.get(manifest.layers[0]?.digest ?? '') ?? ''), tar);
    assert.equal(manifest.config.digest, image.id);
    assert.deepEqual(first.lines, [
      `The push refers to repository [${registry.host}/app]`,
      `${layer}: Preparing`,
      `${layer}: Pushing`,
      `${layer}: Pushed`,
      `1: digest: ${pushed.digest} size: ${String(bytes.length)}`,
    ]);
    assert.deepEqual(room.images.get(name).repoDigests, [`${registry.host}/app@${pushed.digest}`]);

    const second = progressLines();
    assert.deepEqual(await room.images.push(parseReference(name), {}, second.onProgress, never), pushed);
    assert.ok(second.lines.includes(`${layer}: Layer already exists`));

    await using other = await ImageRoom.open();
    assert.equal((await other.images.pull(parseReference(name), {}, quiet, never)).id, image.id);
  });

  test('a pulled image keeps its manifest: in its repository, and mounted into another', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const tars = [await layerTar({ a: noise(20_000) }), await layerTar({ b: 'b' })];
    // Compressed as we never would, so that only the original blobs give the original digest.
    const compress = (bytes: Buffer): Buffer => zstdCompressSync(bytes);
    const served = registry.putImage('origin', 'latest', tars, { compress, layerType: mediaTypes.ociLayerZstd });
    const origin = `${registry.host}/origin`;
    await room.images.pull(parseReference(origin), {}, quiet, never);
    await room.reopen();
    for (const [copy, words] of [
      ['origin:again', 'Layer already exists'],
      ['copy:1', 'Mounted from origin'],
    ] as const) {
      const reference = parseReference(`${registry.host}/${copy}`);
      await room.images.tag(origin, reference);
      const { lines, onProgress } = progressLines();
      assert.equal((await room.images.push(reference, {}, onProgress, never)).digest, served.digest);
      assert.equal(lines.filter((line) => line.endsWith(words)).length, 2, words);
    }
    assert.deepEqual(registry.manifest('copy', '1'), registry.manifest('origin', 'latest'));
  });

  describe('to a registry that lacks the blobs', () => {
    // Compressed as we never would, so that only the original blobs give the original digest.
    const zstd = { compress: (bytes: Buffer) => zstdCompressSync(bytes), layerType: mediaTypes.ociLayerZstd };
    const tars = [layerTar({ a: noise(20_000) }), layerTar({ b: 'b' })];
    const copy = async (from: ScriptedRegistry, to: ScriptedRegistry, room: ImageRoom) => {
      const served = from.putImage('app', '1', await Promise.all(tars), zstd);
      await room.images.pull(parseReference(`${from.host}/app:1`), {}, quiet, never);
      await room.images.tag(`${from.host}/app:1`, parseReference(`${to.host}/app:1`));
      return served;
    };

    for (const [why, budget, harm, goes] of [
      ['the kept blobs are sent', 1_000_000, false, true],
      ['blobs that are not kept are fetched again', 0, false, false],
      ['kept blobs that came to harm are fetched again', 1_000_000, true, false],
    ] as const) {
      test(`a pulled image keeps its manifest: ${why}`, async () => {
        await using from = await ScriptedRegistry.open();
        await using to = await ScriptedRegistry.open();
        await using room = await ImageRoom.open({ blobCacheBytes: budget });
        const served = await copy(from, to, room);
        const kept = join(room.dataDir, 'layer-blobs');
        assert.equal((await readdir(kept)).length, budget > 0 ? 2 : 0);
        if (harm) for (const name of await readdir(kept)) await appendFile(join(kept, name), 'x');
        if (goes) from.intercept = (_, response) => (response.destroy(), true);
        const { digest } = await room.images.push(parseReference(`${to.host}/app:1`), {}, quiet, never);
        assert.equal(digest, served.digest);
        assert.deepEqual(to.manifest('app', '1'), from.manifest('app', '1'));
        for (const layer of served.layerDigests) assert.deepEqual(to.blobs.get(layer), from.blobs.get(layer));
      });
    }

    test('an image whose blobs are nowhere becomes a new manifest of the same image, and it is said', async () => {
      await using from = await ScriptedRegistry.open();
      await using to = await ScriptedRegistry.open();
      await using room = await ImageRoom.open({ blobCacheBytes: 0 });
      const served = await copy(from, to, room);
      from.intercept = (_, response) => (refuse(response, 404, 'BLOB_UNKNOWN', 'gone'), true);
      const { lines, onProgress } = progressLines();
      const pushed = await room.images.push(parseReference(`${to.host}/app:1`), {}, onProgress, never);
      assert.notEqual(pushed.digest, served.digest);
      assert.ok(lines.some((line) => line.endsWith('it gets a new manifest')));
      await using other = await ImageRoom.open();
      const image = await other.images.pull(parseReference(`${to.host}/app:1`), {}, quiet, never);
      assert.equal(image.id, served.configDigest);
    });

    test('what is saved and loaded elsewhere keeps its manifest too', async () => {
      await using from = await ScriptedRegistry.open();
      await using to = await ScriptedRegistry.open();
      await using room = await ImageRoom.open();
      const served = await copy(from, to, room);
      const saved = await collect(room.images.save([`${to.host}/app:1`], {}, never));
      await using other = await ImageRoom.open();
      await other.images.load(chunked(saved), {}, quiet, never);
      const { digest } = await other.images.push(parseReference(`${to.host}/app:1`), {}, quiet, never);
      assert.equal(digest, served.digest);
      await other.images.remove(`${to.host}/app:1`, { force: false, prune: true }, never);
      assert.deepEqual(await readdir(join(other.dataDir, 'layer-blobs')), [], 'kept blobs go with their layers');
    });
  });

  test('layers that repeat are sent once; a transfer that breaks is begun again', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const tar = await layerTar({ a: noise(200_000) });
    const name = `${registry.host}/app:1`;
    const base = await room.images.import(chunked(tar), {}, never);
    const diffId = base.config.rootfs.diff_ids[0] ?? assert.fail();
    await room.snapshots.unpack(base.topLayer, chunked(tar), diffId, never);
    const config: ImageConfig = { ...base.config, rootfs: { type: 'layers', diff_ids: [diffId, diffId] } };
    await room.images.add({ config, tags: [parseReference(name)] }, never);
    let breaks = 2;
    registry.intercept = ({ method }, response) => {
      if (method !== 'PATCH' || breaks === 0) return false;
      breaks -= 1;
      if (breaks > 0) response.destroy();
      else refuse(response, 502, 'UNKNOWN', 'bad gateway');
      return true;
    };
    await room.images.push(parseReference(name), {}, quiet, never);
    assert.equal(registry.seen.filter(({ method }) => method === 'PATCH').length, 3);
    const manifest = JSON.parse(registry.manifest('app', '1')?.toString() ?? '') as Manifest;
    assert.equal(manifest.layers.length, 2);
    assert.equal(manifest.layers[0]?.digest, manifest.layers[1]?.digest);
  });

  test('what cannot be pushed says why', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const name = `${registry.host}/app:1`;
    const push = () => room.images.push(parseReference(name), {}, quiet, never);
    await assert.rejects(push(), {
      reason: 'NotFound',
      message: `An image does not exist locally with the tag: ${name}`,
    });
    await room.images.import(chunked(await layerTar({ a: 'a' })), { tag: parseReference(name) }, never);
    registry.intercept = (_, response) => (refuse(response, 403, 'DENIED', 'you may not push'), true);
    await assert.rejects(push(), { reason: 'Forbidden', message: 'denied: you may not push' });
    registry.intercept = (_, response) => (refuse(response, 500, 'UNKNOWN', 'full'), true);
    await assert.rejects(push(), { reason: 'Unavailable', message: /answered 500 to POST .*blobs/ });
    const client = new AbortController();
    registry.intercept = ({ method }) => method === 'PATCH' && (client.abort(new Error('gone')), true);
    await assert.rejects(room.images.push(parseReference(name), {}, quiet, client.signal), { message: 'gone' });
    const pinned = parseReference(`${registry.host}/app@sha256:${'a'.repeat(64)}`);
    await assert.rejects(room.images.push(pinned, {}, quiet, never), { reason: 'InvalidArgument' });

    await using hasty = await ImageRoom.open({ idleTimeoutMs: 150 });
    await hasty.images.import(chunked(await layerTar({ a: 'a' })), { tag: parseReference(name) }, never);
    registry.intercept = ({ method }) => method === 'PATCH';
    await assert.rejects(hasty.images.push(parseReference(name), {}, quiet, never), { reason: 'Timeout' });
  });
});
