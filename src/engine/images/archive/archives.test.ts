import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { hexOf, mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { readTar } from '#formats/tar/read-tar.ts';
import { tarEntry, writeTar } from '#formats/tar/write-tar.ts';
import type { TarInput } from '#formats/tar/write-tar.ts';
import type { TarEntry } from '#formats/tar-entry.ts';
import { chunked, collect, ImageRoom, layerTar, noise, progressLines } from '#kit/image-room.ts';
import { digestOf } from '../store/chain.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
const created = '2020-01-02T03:04:05Z';

async function twoImages(room: ImageRoom): Promise<void> {
  const options = { created, config: { Cmd: ['sh'] } };
  await room.images.import(
    chunked(await layerTar({ a: noise(30_000) })),
    { ...options, tag: parseReference('one:1') },
    never,
  );
  await room.images.import(
    chunked(await layerTar({ b: 'b' })),
    { ...options, tag: parseReference('h.example/two:2') },
    never,
  );
  await room.images.tag('one:1', parseReference('one:again'));
}

describe('save and load', () => {
  test('what is saved loads as it was, plain, gzip or zstd, and is the same bytes each time', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const names = ['one:1', 'h.example/two:2'];
    const bytes = await collect(from.images.save(names, {}, never));
    assert.deepEqual(await collect(from.images.save(names, {}, never)), bytes);
    await from.reopen();
    assert.deepEqual(await collect(from.images.save(names, {}, never)), bytes);
    for (const compress of [(plain: Buffer) => plain, gzipSync, zstdCompressSync]) {
      await using to = await ImageRoom.open();
      const { lines, onProgress } = progressLines();
      assert.deepEqual(await to.images.load(chunked(compress(bytes)), {}, onProgress, never), names);
      for (const name of names) assert.equal(to.images.get(name).id, from.images.get(name).id);
      assert.ok(lines.some((line) => line.endsWith(': Loading layer')));
      assert.deepEqual(await to.leftovers(), []);
      assert.deepEqual(await collect(to.images.save(names, {}, never)), bytes);
    }
  });

  test('an archive is an OCI layout and a docker-archive at once', async () => {
    await using room = await ImageRoom.open();
    await twoImages(room);
    const files = await unpack(await collect(room.images.save(['one'], {}, never)));
    const json = (path: string): unknown => JSON.parse(files.get(path)?.toString() ?? 'null');
    assert.deepEqual(json('oci-layout'), { imageLayoutVersion: '1.0.0' });
    const { id, config } = room.images.get('one:1');
    const layer = hexOf(config.rootfs.diff_ids[0] ?? assert.fail());
    assert.deepEqual(json('manifest.json'), [
      { Config: `blobs/sha256/${hexOf(id)}`, RepoTags: ['one:1', 'one:again'], Layers: [`blobs/sha256/${layer}`] },
    ]);
    assert.deepEqual(json('repositories'), { one: { '1': layer, again: layer } });
    const { manifests } = json('index.json') as {
      manifests: { digest: Digest; annotations: Record<string, string> }[];
    };
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations['io.containerd.image.name']),
      ['docker.io/library/one:1', 'docker.io/library/one:again'],
    );
    for (const [path, bytes] of files) {
      const hex = /^blobs\/sha256\/(.+)$/.exec(path)?.[1];
      if (hex !== undefined) assert.equal(hexOf(digestOf(bytes)), hex);
    }
  });

  test('an image saved by ID has no name; the OCI half alone loads too', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const { id } = from.images.get('one:1');
    const files = await unpack(await collect(from.images.save([id], {}, never)));
    files.delete('manifest.json');
    files.delete('repositories');
    await using to = await ImageRoom.open();
    assert.deepEqual(await to.images.load(chunked(await pack(files)), {}, quiet, never), [id]);
    assert.deepEqual(to.images.get(id).tags, []);
    assert.throws(() => from.images.save(['nope:1'], {}, never), {
      reason: 'NotFound',
      message: 'No such image: nope:1',
    });
  });

  test('a tag that is taken moves to what is loaded', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const bytes = await collect(from.images.save(['one:1'], {}, never));
    await using to = await ImageRoom.open();
    const old = await to.images.import(chunked(await layerTar({ old: '' })), { tag: parseReference('one:1') }, never);
    const { lines, onProgress } = progressLines();
    await to.images.load(chunked(bytes), {}, onProgress, never);
    assert.ok(lines.includes(`The image one:1 already exists, renaming the old one with ID ${old.id} to empty string`));
    assert.deepEqual(to.images.get(old.id).tags, []);
  });

  test("older archives of docker's, with links between layers, load", async () => {
    await using room = await ImageRoom.open();
    const tar = await layerTar({ a: 'a' });
    const rootfs = { type: 'layers', diff_ids: [digestOf(tar), digestOf(tar)] };
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs }));
    const manifest = [{ Config: 'c.json', RepoTags: ['old:1'], Layers: ['one/layer.tar', 'two/layer.tar'] }];
    const members: TarInput[] = [
      { entry: tarEntry('one/', { type: 'directory' }) },
      file('./one/layer.tar', tar),
      { entry: tarEntry('two/layer.tar', { type: 'symlink', linkTarget: '../one/layer.tar' }) },
      file('c.json', config),
      file('manifest.json', Buffer.from(JSON.stringify(manifest))),
    ];
    assert.deepEqual(await room.images.load(writeTar(members), {}, quiet, never), ['old:1']);
    assert.equal(room.images.get('old:1').id, digestOf(config));
  });
});

describe('a hostile archive is refused and leaves nothing', () => {
  test('links and paths that lead out, devices, lying digests, missing files', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const good = await unpack(await collect(from.images.save(['one:1'], {}, never)));
    const layer = hexOf(from.images.get('one:1').config.rootfs.diff_ids[0] ?? assert.fail());
    const withEntry = async (path: string, fields: Partial<TarEntry>): Promise<Buffer> =>
      await pack(good, [{ entry: tarEntry(path, fields) }]);
    const oci = new Map([...good].filter(([path]) => path !== 'manifest.json'));
    const forged = (files: ReadonlyMap<string, Buffer>) =>
      pack(new Map([...files, [`blobs/sha256/${layer}`, Buffer.from('no')]]));
    const manifest = (value: unknown) =>
      pack(new Map([...good, ['manifest.json', Buffer.from(JSON.stringify(value))]]));
    const whole = await pack(good);
    const archives: readonly (readonly [why: string, bytes: Buffer])[] = [
      ['a link to a file of the machine', await withEntry('x', { type: 'symlink', linkTarget: '../../etc/shadow' })],
      ['a hard link out', await withEntry('x', { type: 'hardlink', linkTarget: '../x' })],
      ['a path out', await withEntry('../../x', {})],
      ['a device', await withEntry('x', { type: 'character', deviceMajor: 1, deviceMinor: 1 })],
      ['another layer than its digest, docker', await forged(good)],
      ['another layer than its digest, OCI', await forged(oci)],
      ['a truncated archive', whole.subarray(0, whole.length / 2)],
      ['a truncated gzip', gzipSync(whole).subarray(0, -100)],
      ['nothing', Buffer.alloc(0)],
      ['no archive', Buffer.from('hello')],
      ['a link in place of a layer', await manifest([{ Config: 'blobs', RepoTags: null, Layers: [] }])],
      ['no list', await manifest({})],
      ['names that are none', await manifest([{ Config: 'c', RepoTags: [1], Layers: [] }])],
      ['a configuration outside', await manifest([{ Config: '../../etc/passwd', RepoTags: null, Layers: [] }])],
    ];
    await using room = await ImageRoom.open();
    for (const [why, bytes] of archives) {
      const refused = (error: unknown): boolean =>
        error instanceof StatusError && ['Damaged', 'InvalidArgument'].includes(error.reason);
      await assert.rejects(room.images.load(chunked(bytes), {}, quiet, never), refused, why);
      assert.deepEqual(room.images.list(), [], why);
      assert.deepEqual(room.snapshots.layers(), [], why);
      assert.deepEqual(await room.leftovers(), [], why);
    }
  });

  test('all images of an archive are loaded, or none', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const files = await unpack(await collect(from.images.save(['one:1', 'h.example/two:2'], {}, never)));
    const layer = hexOf(from.images.get('h.example/two:2').config.rootfs.diff_ids[0] ?? assert.fail());
    files.set(`blobs/sha256/${layer}`, await layerTar({ other: '' }));
    await using room = await ImageRoom.open();
    await assert.rejects(room.images.load(chunked(await pack(files)), {}, quiet, never), { reason: 'Damaged' });
    assert.deepEqual(room.images.list(), []);
    assert.deepEqual(room.snapshots.layers(), []);
  });

  test('a client that leaves in the middle leaves nothing', async () => {
    await using from = await ImageRoom.open();
    await twoImages(from);
    const bytes = await collect(from.images.save(['one:1'], {}, never));
    await using room = await ImageRoom.open();
    const client = new AbortController();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, bytes.length / 2);
      client.abort(new Error('gone'));
      yield bytes.subarray(bytes.length / 2);
    };
    await assert.rejects(room.images.load(source(), {}, quiet, client.signal), { message: 'gone' });
    assert.deepEqual(await room.leftovers(), []);
    const reader = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of from.images.save(['one:1'], {}, reader.signal)) reader.abort(new Error('read enough'));
    };
    await assert.rejects(read(), { message: 'read enough' });
    assert.equal((await from.images.remove('one:1', { force: false, prune: true }, never)).length, 1);
  });

  test('an OCI layout of any JSON is read or refused, never a defect', async () => {
    await using room = await ImageRoom.open();
    const digest = digestOf('{}');
    const descriptor = fc.record({
      mediaType: fc.constantFrom(mediaTypes.ociManifest, mediaTypes.ociIndex, 'x/y'),
      digest: fc.constantFrom(digest, 'sha256:00', digestOf('absent')),
      size: fc.constantFrom(2, 3, -1),
      annotations: fc.option(fc.jsonValue(), { nil: undefined }),
    });
    const index = fc.record({
      schemaVersion: fc.constantFrom(2, 1),
      manifests: fc.oneof(fc.array(descriptor), fc.jsonValue()),
    });
    await fc.assert(
      fc.asyncProperty(index, async (value) => {
        const files = new Map([
          ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
          ['index.json', Buffer.from(JSON.stringify(value))],
          [`blobs/sha256/${hexOf(digest)}`, Buffer.from('{}')],
        ]);
        try {
          await room.images.load(chunked(await pack(files)), {}, quiet, never);
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 60 },
    );
    assert.deepEqual(await room.leftovers(), []);
  });
});

function file(path: string, body: Buffer): TarInput {
  return { entry: tarEntry(path, { sizeBytes: body.length }), body };
}

async function pack(files: ReadonlyMap<string, Buffer>, more: readonly TarInput[] = []): Promise<Buffer> {
  return await collect(writeTar([...[...files].map(([path, body]) => file(path, body)), ...more]));
}

async function unpack(bytes: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { entry, body } of readTar(chunked(bytes))) {
    if (entry.type === 'file') files.set(entry.path, await collect(body));
  }
  return files;
}
