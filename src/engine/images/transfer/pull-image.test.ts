import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { shortId } from '#base/ids.ts';
import { mediaTypes } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { eventually } from '#kit/eventually.ts';
import { ImageRoom, layerTar, noise, progressLines } from '#kit/image-room.ts';
import { refuse, ScriptedRegistry } from '#kit/scripted-registry.ts';

const never = new AbortController().signal;
const quiet = (): void => {};

describe('pull', () => {
  test('an image comes with its layers, its names and progress in known words', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const tars = [await layerTar({ 'etc/one': 'one' }), await layerTar({ 'etc/two': noise(50_000) })];
    const served = registry.putImage('team/app', '1', tars);
    const name = `${registry.host}/team/app:1`;

    const { lines, onProgress } = progressLines();
    const image = await room.images.pull(parseReference(name), {}, onProgress, never);
    assert.equal(image.id, served.configDigest);
    assert.deepEqual(image.tags, [name]);
    assert.deepEqual(image.repoDigests, [`${registry.host}/team/app@${served.digest}`]);
    assert.equal(image.sizeBytes, (tars[0]?.length ?? 0) + (tars[1]?.length ?? 0));
    assert.deepEqual(
      room.snapshots.layers().map(({ diffId }) => diffId),
      served.diffIds,
    );
    assert.equal(lines[0], '1: Pulling from team/app');
    assert.deepEqual(lines.slice(-2), [`Digest: ${served.digest}`, `Status: Downloaded newer image for ${name}`]);
    const second = shortId(served.layerDigests[1] ?? '');
    const words = lines.filter((line) => line.startsWith(second)).map((line) => line.slice(second.length + 2));
    assert.deepEqual(words, [
      'Pulling fs layer',
      'Waiting',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
    ]);
    assert.deepEqual(await room.leftovers(), []);

    registry.seen.length = 0;
    const again = progressLines();
    await room.images.pull(parseReference(name), {}, again.onProgress, never);
    assert.equal(again.lines.at(-1), `Status: Image is up to date for ${name}`);
    assert.deepEqual(
      registry.seen.map(({ method }) => method),
      ['HEAD'],
      'one look at the digest is enough',
    );
    await room.reopen();
    assert.equal(room.images.get(`${registry.host}/team/app@${served.digest}`).id, image.id);
  });

  test('layers that are here are not downloaded; zstd and plain layers unpack too', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const [base, top, other] = [await layerTar({ a: 'a' }), await layerTar({ b: 'b' }), await layerTar({ c: 'c' })];
    registry.putImage('base', 'latest', [base]);
    const zstd = registry.putImage('zstd', 'latest', [base, top], {
      compress: (tar) => zstdCompressSync(tar),
      layerType: mediaTypes.ociLayerZstd,
    });
    const plain = registry.putImage('plain', 'latest', [base, other], {
      compress: (tar) => tar,
      layerType: mediaTypes.ociLayer,
    });
    await room.images.pull(parseReference(`${registry.host}/base`), {}, quiet, never);
    for (const [name, served] of [
      ['zstd', zstd],
      ['plain', plain],
    ] as const) {
      const { lines, onProgress } = progressLines();
      const image = await room.images.pull(parseReference(`${registry.host}/${name}`), {}, onProgress, never);
      assert.equal(image.id, served.configDigest);
      assert.ok(lines.includes(`${shortId(served.layerDigests[0] ?? '')}: Already exists`));
    }
    assert.equal(room.snapshots.unpacked, 3);
  });

  test('an index gives the image of the platform, by tag and by digest', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const platforms = ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }));
    const manifests = [];
    for (const platform of platforms) {
      const served = registry.putImage('multi', undefined, [await layerTar(platform)], { platform });
      const size = registry.manifest('multi', served.digest)?.length;
      manifests.push({ mediaType: mediaTypes.ociManifest, digest: served.digest, size, platform });
    }
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    const digest = registry.putManifest('multi', 'latest', index, mediaTypes.ociIndex);
    const s390x = { os: 'linux', architecture: 's390x' };
    const image = await room.images.pull(parseReference(`${registry.host}/multi`), { platform: s390x }, quiet, never);
    assert.equal(image.config.architecture, 's390x');
    assert.deepEqual(image.repoDigests, [`${registry.host}/multi@${digest}`]);

    const pinned = await room.images.pull(parseReference(`${registry.host}/multi@${digest}`), {}, quiet, never);
    assert.notEqual(pinned.config.architecture, 's390x');
    assert.deepEqual(pinned.tags, [], 'a pull by digest gives no tag');
    await assert.rejects(
      room.images.pull(
        parseReference(`${registry.host}/multi`),
        { platform: { os: 'linux', architecture: 'riscv64' } },
        quiet,
        never,
      ),
      { reason: 'NotFound', message: 'no matching manifest for linux/riscv64 in the manifest list entries' },
    );
  });

  test('two pulls at once of images that share layers fetch each layer once', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const shared = [await layerTar({ a: noise(200_000) }), await layerTar({ b: noise(100_000, 'b') })];
    registry.putImage('one', 'latest', [...shared, await layerTar({ one: '1' })]);
    registry.putImage('two', 'latest', [...shared, await layerTar({ two: '2' })]);
    const names = ['one', 'two', 'one'].map((name) => parseReference(`${registry.host}/${name}`));
    const images = await Promise.all(names.map((name) => room.images.pull(name, {}, quiet, never)));
    assert.equal(images[0]?.id, images[2]?.id);
    assert.equal(room.snapshots.unpacked, 4);
    const gets = registry.seen.filter(({ method, url }) => method === 'GET' && url.includes('/blobs/'));
    const layers = gets.filter(({ url }) => registry.blobs.get(url.split('/').at(-1) ?? '')?.[0] === 0x1f);
    assert.equal(layers.length, 4);
    assert.deepEqual(await room.leftovers(), []);
  });

  test('an abort ends the transfer and leaves nothing; a pull beside it goes on', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const tars = [await layerTar({ a: noise(300_000) }), await layerTar({ b: noise(300_000, 'b') })];
    const served = registry.putImage('app', 'latest', tars);
    const last = served.layerDigests[1] ?? '';
    const reached = Promise.withResolvers<void>();
    let hang = true;
    registry.intercept = ({ url, method }, response) => {
      if (!hang || method !== 'GET' || !url.endsWith(last)) return false;
      hang = false;
      response.writeHead(200, { 'content-length': registry.blobs.get(last)?.length });
      response.write(registry.blobs.get(last)?.subarray(0, 1000));
      reached.resolve();
      return true;
    };
    const client = new AbortController();
    const name = parseReference(`${registry.host}/app`);
    const first = room.images.pull(name, {}, quiet, client.signal);
    await reached.promise;
    const second = room.images.pull(name, {}, quiet, never);
    client.abort(new Error('the client left'));
    await assert.rejects(first, { message: 'the client left' });
    assert.equal((await second).id, served.configDigest);
    assert.deepEqual(await room.leftovers(), []);

    await room.images.remove(`${registry.host}/app`, { force: false, prune: true }, never);
    assert.deepEqual(room.snapshots.layers(), []);
    hang = true;
    const again = new AbortController();
    registry.seen.length = 0;
    const third = room.images.pull(name, {}, (line) => line.status === 'Pull complete' && again.abort(), again.signal);
    await assert.rejects(third, { name: 'AbortError' });
    assert.deepEqual(room.snapshots.layers(), [], 'the layer that was unpacked is gone again');
    assert.deepEqual(room.images.list(), []);
    assert.deepEqual(await room.leftovers(), []);
  });
});

describe('a download that broke off', () => {
  test('is taken up where it ended by the next pull, also after a restart', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const served = registry.putImage('app', 'latest', [await layerTar({ a: noise(900_000) })]);
    const layer = served.layerDigests[0] ?? '';
    const blob = registry.blobs.get(layer) ?? Buffer.alloc(0);
    const name = parseReference(`${registry.host}/app`);
    const client = new AbortController();
    registry.intercept = ({ url }, response) => {
      if (!url.endsWith(layer)) return false;
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 300_000));
      return true;
    };
    const part = join(room.dataDir, 'layer-blobs', `${layer.slice('sha256:'.length)}.part`);
    const pulling = room.images.pull(name, {}, quiet, client.signal);
    await eventually('a part has come', async () => (await stat(part)).size > 0);
    client.abort(new Error('the client left'));
    await assert.rejects(pulling, { message: 'the client left' });

    const { size } = await stat(part);
    await room.reopen();
    registry.intercept = () => false;
    registry.seen.length = 0;
    assert.equal((await room.images.pull(name, {}, quiet, never)).id, served.configDigest);
    assert.equal(registry.seen.find(({ url }) => url.endsWith(layer))?.range, `bytes=${String(size)}-`);
  });

  test('bytes that a crash of the machine spoiled are fetched anew', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const served = registry.putImage('app', 'latest', [await layerTar({ a: noise(300_000) })]);
    const layer = served.layerDigests[0] ?? '';
    await writeFile(join(room.dataDir, 'layer-blobs', `${layer.slice('sha256:'.length)}.part`), 'spoiled');
    await room.reopen();
    const image = await room.images.pull(parseReference(`${registry.host}/app`), {}, quiet, never);
    assert.equal(image.id, served.configDigest);
    const ranges = registry.seen.filter(({ url }) => url.endsWith(layer)).map(({ range }) => range);
    assert.deepEqual(ranges, ['bytes=7-', undefined]);
  });
});

describe('a pull that cannot be', () => {
  test('what the registry does not have is NotFound in the words that clients know', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const name = `${registry.host}/app`;
    const pull = (text: string) => room.images.pull(parseReference(text), {}, quiet, never);
    await assert.rejects(pull(`${name}:nope`), {
      reason: 'NotFound',
      message: `manifest for ${name}:nope not found: manifest unknown: manifest unknown`,
    });
    registry.intercept = (_, response) => (refuse(response, 401, 'UNAUTHORIZED', 'authentication required'), true);
    await assert.rejects(pull(name), {
      reason: 'NotFound',
      message: new RegExp(`^pull access denied for ${name}, repository does not exist or may require 'docker login'`),
    });
    registry.intercept = (_, response) => (refuse(response, 404, 'NAME_UNKNOWN', 'no such repository'), true);
    await assert.rejects(pull(name), { reason: 'NotFound', message: new RegExp(`^repository ${name} not found`) });
  });

  test('bytes that are not what their digest says are Damaged, and nothing stays', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const [good, bad] = [await layerTar({ a: 'a' }), await layerTar({ b: noise(9000) })];
    const served = registry.putImage('app', 'latest', [good, bad]);
    const name = parseReference(`${registry.host}/app`);
    const layer = served.layerDigests[1] ?? '';
    const original = registry.blobs.get(layer) ?? Buffer.alloc(0);
    const forged = Buffer.from(original);
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
    const bodies = [forged, original.subarray(0, 5000), Buffer.concat([original, Buffer.from('more')])];
    for (const body of bodies) {
      registry.blobs.set(layer, body);
      await assert.rejects(room.images.pull(name, {}, quiet, never), {
        reason: 'Damaged',
        message: new RegExp(`filesystem layer verification failed for digest ${layer}`),
      });
    }
    registry.blobs.set(served.configDigest, Buffer.from('{}'));
    await assert.rejects(room.images.pull(name, {}, quiet, never), { reason: 'Damaged' });
    assert.deepEqual(room.snapshots.layers(), []);
    assert.deepEqual(room.images.list(), []);
    assert.deepEqual(await room.leftovers(), []);
  });

  test('a layer that unpacks to other bytes than the configuration says is Damaged', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const tar = await layerTar({ a: 'a' });
    const lie = await layerTar({ a: 'b' });
    const count = registry.putImage('count', 'latest', [tar], {
      config: { rootfs: { type: 'layers', diff_ids: [] } },
    });
    assert.ok(count.digest.length > 0);
    registry.putImage('lie', 'latest', [tar], { compress: () => gzipSync(lie) });
    registry.putImage('broken', 'latest', [tar], { compress: (bytes) => gzipSync(bytes).subarray(0, -9) });
    for (const name of ['count', 'lie', 'broken']) {
      await assert.rejects(room.images.pull(parseReference(`${registry.host}/${name}`), {}, quiet, never), {
        reason: 'Damaged',
      });
    }
    assert.deepEqual(room.snapshots.layers(), []);
    assert.deepEqual(await room.leftovers(), []);
  });

  test('foreign things are refused: schema 1, charts, strange layers, other systems, huge manifests', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const pull = (name: string) => room.images.pull(parseReference(`${registry.host}/${name}`), {}, quiet, never);
    registry.putManifest(
      'old',
      'latest',
      { schemaVersion: 1 },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    );
    const digest = registry.putBlob('chart', Buffer.from('{}'));
    const config = { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest, size: 2 };
    registry.putManifest('chart', 'latest', { schemaVersion: 2, config, layers: [] }, mediaTypes.ociManifest);
    registry.putImage('layers', 'latest', [await layerTar({})], { layerType: 'application/x-strange' });
    registry.putImage('windows', 'latest', [await layerTar({})], {
      platform: { os: 'windows', architecture: 'amd64' },
    });
    const padding = 'x'.repeat(4 * 1024 * 1024);
    registry.putManifest('huge', 'latest', { schemaVersion: 2, padding }, mediaTypes.ociManifest);
    for (const name of ['old', 'chart', 'layers', 'windows']) {
      await assert.rejects(pull(name), { reason: 'NotSupported' }, name);
    }
    await assert.rejects(pull('huge'), { reason: 'TooLarge' });
    assert.deepEqual(await room.leftovers(), []);
  });
});
