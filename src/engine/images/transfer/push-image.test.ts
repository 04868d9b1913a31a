import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, zstdCompressSync } from 'node:zlib';

import { shortId } from '#base/ids.ts';
import { mediaTypes } from '#formats/oci.ts';
import type { ImageConfig, Manifest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { chunked, ImageRoom, layerTar, noise, progressLines } from '#kit/image-room.ts';
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

  test('in a registry that lacks the blobs a pulled image becomes a new manifest of the same image', async () => {
    await using from = await ScriptedRegistry.open();
    await using to = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const served = from.putImage('app', '1', [await layerTar({ a: 'a' }), await layerTar({ b: 'b' })]);
    await room.images.pull(parseReference(`${from.host}/app:1`), {}, quiet, never);
    await room.images.tag(`${from.host}/app:1`, parseReference(`${to.host}/app:1`));
    await room.images.push(parseReference(`${to.host}/app:1`), {}, quiet, never);
    await using other = await ImageRoom.open();
    const image = await other.images.pull(parseReference(`${to.host}/app:1`), {}, quiet, never);
    assert.equal(image.id, served.configDigest);
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
