import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { constants, gzipSync } from 'node:zlib';

import { reasonOf } from '#base/errors.ts';
import type { Layer, LayerGroup } from '#engine/snapshots/snapshots.ts';
import { ArchiveFile } from '#engine/stream/archive-file.ts';
import { textOfBytes } from '#formats/byte-text.ts';
import type { Digest } from '#formats/oci.ts';
import { tarEntry } from '#formats/tar/write-tar.ts';
import { fsPath } from '#sys/file-path.ts';
import { getXattr } from '#sys/xattrs.ts';

import {
  chunks,
  collect,
  digestOf,
  file,
  folder,
  hardLink,
  link,
  makeWorld,
  type Member,
  never,
  tarOf,
  unpack,
} from './world.ts';

const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

test('a layer keeps everything that an archive says, and packs to the same bytes', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const odd = textOfBytes(Buffer.from([0x6f, 0xff, 0x64]));
  const bytes = await tarOf(
    folder('etc/', { mode: 0o751, uid: 7, gid: 8, mtimeNs: 1_600_000_000_000_000_000n }),
    file('etc/config', 'hello', { mode: 0o640, uid: 1000, gid: 1001, mtimeNs: 1_500_000_000_123_456_789n }),
    file('./bin/tool', 'x'.repeat(100_000), { mode: 0o4755, xattrs: new Map([['security.capability', capability]]) }),
    hardLink('bin/same', 'bin/tool'),
    link('etc/link', '/etc/config'),
    { entry: tarEntry('dev/zero', { type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 5 }) },
    { entry: tarEntry('run/pipe', { type: 'fifo' }) },
    file(`names/${odd}`, 'odd'),
    file('names/Főtanúsítvány', 'utf8'),
    folder('tmp', { mode: 0o1777 }),
  );
  const layer = await snapshots.unpack(undefined, chunks(bytes, 777), digestOf(bytes), never);
  assert.equal(layer.chainId, digestOf(bytes));
  assert.equal(layer.sizeBytes, 5 + 100_000 + 3 + 4);
  assert.deepEqual(await collect(snapshots.pack(layer.chainId, never)), bytes);

  await snapshots.create('one', layer.chainId);
  const root = snapshots.mount('one');
  const stat = (path: string) => lstatSync(fsPath(join(root, path)), { bigint: true });
  assert.equal(stat('etc').mtimeNs, 1_600_000_000_000_000_000n);
  assert.equal(stat('etc').mode & 0o7777n, 0o751n);
  assert.equal(stat('etc/config').mtimeNs, 1_500_000_000_123_456_789n);
  assert.deepEqual([stat('etc/config').uid, stat('etc/config').gid], [1000n, 1001n]);
  assert.equal(stat('bin/tool').mode & 0o7777n, 0o4755n);
  assert.deepEqual(getXattr(join(root, 'bin/tool'), 'security.capability'), Uint8Array.from(capability));
  assert.equal(stat('bin/tool').ino, stat('bin/same').ino);
  assert.equal(readlinkSync(join(root, 'etc/link')), '/etc/config');
  assert.equal(stat('dev/zero').rdev, 0x105n);
  assert.equal(stat('run/pipe').isFIFO(), true);
  assert.equal(readFileSync(fsPath(join(root, `names/${odd}`)), 'utf8'), 'odd');
  assert.equal(stat('tmp').mode & 0o7777n, 0o1777n);
  assert.deepEqual(await snapshots.changes('one', never), []);
});

test('whiteouts and opaque folders hide what lies below, in any order', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const base = await unpack(
    snapshots,
    undefined,
    ...['a/gone', 'a/kept', 'b/gone', 'c/gone', 'd/gone', 'e/file', 'f/x/gone', 'g/gone'].map((path) =>
      file(path, path),
    ),
  );
  const top = await unpack(
    snapshots,
    base,
    file('a/.wh.gone'),
    file('a/.wh.never-was'),
    folder('b'),
    file('b/.wh..wh..opq'),
    file('b/new'),
    file('c/new'),
    file('c/.wh..wh..opq'),
    file('.wh.d'),
    folder('d'),
    file('d/new'),
    file('.wh.e'),
    file('f/x/.wh.gone'),
    file('f/.wh..wh..opq'),
    file('g/new'),
    file('.wh.g'),
  );
  await snapshots.create('one', top.chainId);
  const root = snapshots.mount('one');
  const shown = Object.fromEntries(readdirSync(root).map((name) => [name, readdirSync(join(root, name)).sort()]));
  assert.deepEqual(shown, { a: ['kept'], b: ['new'], c: ['new'], d: ['new'], f: ['x'], g: ['new'] });
  assert.deepEqual(readdirSync(join(root, 'f/x')), []);
  const bare = await unpack(snapshots, base, file('.wh..wh..opq'), file('a/only'));
  await snapshots.create('two', bare.chainId);
  assert.deepEqual(readdirSync(snapshots.mount('two')), ['a']);
  assert.deepEqual(readdirSync(join(snapshots.mount('two'), 'a')), ['only']);
});

test('parents that an archive leaves out stay as they are below, and links below are followed', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const base = await unpack(
    snapshots,
    undefined,
    folder('tmp', { mode: 0o1777, uid: 5, mtimeNs: 1_000_000_000n }),
    file('usr/lib/old', 'old'),
    link('lib', 'usr/lib'),
    link('abs', '/usr/../usr/lib'),
    file('shared', 'shared'),
  );
  const top = await unpack(
    snapshots,
    base,
    file('tmp/inner/new', 'new'),
    file('lib/new', 'new'),
    file('abs/newer', 'newer'),
    hardLink('linked', 'shared'),
  );
  await snapshots.create('one', top.chainId);
  const root = snapshots.mount('one');
  const tmp = lstatSync(join(root, 'tmp'));
  assert.deepEqual([tmp.mode & 0o7777, tmp.uid, tmp.mtimeMs], [0o1777, 5, 1000]);
  assert.equal(readlinkSync(join(root, 'lib')), 'usr/lib');
  assert.deepEqual(readdirSync(join(root, 'usr/lib')).sort(), ['new', 'newer', 'old']);
  assert.equal(readFileSync(join(root, 'linked'), 'utf8'), 'shared');
  assert.equal(lstatSync(join(root, 'linked')).ino, lstatSync(join(root, 'shared')).ino);
});

test('an archive that names things twice packs to the same bytes, and the last one counts', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const bytes = await tarOf(
    file('a', 'first'),
    file('a', 'second'),
    file('d/inner', 'inner of a folder'),
    hardLink('kept', 'd/inner'),
    file('d', 'now a file'),
    file('a', 'third'),
    link('e', 'd'),
    folder('e'),
    file('e/f', 'f'),
    file('.wh.note', 'a whiteout with a body'),
  );
  const layer = await snapshots.unpack(undefined, chunks(bytes, 1), undefined, never);
  assert.deepEqual(await collect(snapshots.pack(layer.chainId, never)), bytes);
  await snapshots.create('one', layer.chainId);
  const root = snapshots.mount('one');
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'third');
  assert.equal(readFileSync(join(root, 'd'), 'utf8'), 'now a file');
  assert.equal(readFileSync(join(root, 'kept'), 'utf8'), 'inner of a folder');
  assert.equal(readFileSync(join(root, 'e/f'), 'utf8'), 'f');
});

test('what does not fit its digest, is cut or is in the way leaves nothing behind', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const bytes = await tarOf(file('a', 'x'.repeat(5000)), file('b', 'y'));
  const wrong: Digest = `sha256:${'0'.repeat(64)}`;
  const damaged = (error: unknown) => reasonOf(error) === 'Damaged';
  await assert.rejects(snapshots.unpack(undefined, chunks(bytes), wrong, never), damaged);
  await assert.rejects(snapshots.unpack(undefined, chunks(bytes.subarray(0, 3000)), undefined, never), damaged);
  await assert.rejects(snapshots.unpack(undefined, failing(bytes), undefined, never), /the line went dead/);
  await assert.rejects(
    snapshots.unpack(wrong, chunks(bytes), undefined, never),
    (error) => reasonOf(error) === 'NotFound',
  );
  await assert.rejects(snapshots.unpack(undefined, chunks(bytes), undefined, AbortSignal.abort()));
  assert.deepEqual(snapshots.layers(), []);
  for (const name of ['layers', 'tmp']) assert.deepEqual(readdirSync(join(world.dataDir, name)), []);
});

test('a long archive is unpacked beside this thread, and fails as a short one does', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const base = await unpack(snapshots, undefined, file('below', 'below'));
  const big = [file('big', 'b'.repeat(5_000_000)), hardLink('linked', 'below'), file('big', 'second')];
  const bytes = await tarOf(...big);
  const path = join(world.dataDir, 'archive');
  const reports: (readonly [number, number])[] = [];
  const archive = (content: Buffer): ArchiveFile => {
    writeFileSync(path, content);
    return new ArchiveFile(path, (...report) => reports.push(report));
  };
  const packed = gzipSync(bytes, { level: constants.Z_NO_COMPRESSION });
  const layer = await snapshots.unpack(base.chainId, archive(packed), digestOf(bytes), never);
  assert.deepEqual(reports.at(-1), [packed.length, bytes.length]);
  assert.ok(reports.length > 2, 'it is told how far it is');
  assert.deepEqual(await collect(snapshots.pack(layer.chainId, never)), bytes);
  await snapshots.create('one', layer.chainId);
  assert.equal(readFileSync(join(snapshots.mount('one'), 'big'), 'utf8'), 'second');
  assert.equal(readFileSync(join(snapshots.mount('one'), 'linked'), 'utf8'), 'below');

  const escaping = await tarOf(...big, file('../out'));
  const unpacking = (content: Buffer): Promise<Layer> =>
    snapshots.unpack(undefined, archive(content), undefined, never);
  await assert.rejects(unpacking(escaping), { reason: 'InvalidArgument' });
  await assert.rejects(unpacking(bytes.subarray(0, 4_000_000)), { reason: 'Damaged' });
  await assert.rejects(unpacking(packed.subarray(0, 4_000_000)), { reason: 'Damaged' });
  const abort = new AbortController();
  const begun = new ArchiveFile(path, () => abort.abort());
  await assert.rejects(snapshots.unpack(undefined, begun, undefined, abort.signal), { name: 'AbortError' });
  assert.equal(snapshots.layers().length, 2);
  assert.deepEqual(readdirSync(join(world.dataDir, 'tmp')), []);
});

test('a layer is kept once, removed only when nothing stands on it, and survives a restart', async (t) => {
  const world = makeWorld(t);
  await using first = await world.open();
  const base = await unpack(first, undefined, file('base'));
  const [top, again] = await Promise.all([unpack(first, base, file('top')), unpack(first, base, file('top'))]);
  assert.deepEqual(top, again);
  assert.equal(first.layers().length, 2);
  await first.create('one', top.chainId);
  const inUse = (error: unknown) => reasonOf(error) === 'Conflict';
  await assert.rejects(first.removeLayer(top.chainId), inUse);
  await assert.rejects(first.removeLayer(base.chainId), inUse);
  await first[Symbol.asyncDispose]();

  writeFileSync(join(world.dataDir, 'tmp/half'), 'half made');
  await using second = await world.open();
  assert.deepEqual(readdirSync(join(world.dataDir, 'tmp')), []);
  assert.deepEqual(second.layer(top.chainId), top);
  await assert.rejects(second.removeLayer(top.chainId), inUse);
  await second.remove('one');
  await second.removeLayer(top.chainId);
  await second.removeLayer(top.chainId);
  await second.removeLayer(base.chainId);
  assert.deepEqual(readdirSync(join(world.dataDir, 'layers')), []);
});

test('packing notices files that somebody changed', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const layer = await unpack(snapshots, undefined, file('a', 'true'));
  const path = join(world.dataDir, 'layers', readdirSync(join(world.dataDir, 'layers'))[0] ?? '', 'fs/a');
  assert.equal(existsSync(path), true);
  writeFileSync(path, 'lies');
  await assert.rejects(collect(snapshots.pack(layer.chainId, never)), (error) => reasonOf(error) === 'Damaged');
});

async function* failing(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield* chunks(bytes.subarray(0, 2000));
  throw new Error('the line went dead');
}

test('layers of a group stand on each other before they are durable, and go with a group that is given up', async (t) => {
  const { dataDir, open } = makeWorld(t);
  await using snapshots = await open();
  const path = join(dataDir, 'archive');
  // Longer than what is unpacked without a thread, and the second by the thread that the first one left.
  const big = (name: string): Member => file(name, name.repeat(3_000_000));
  const tars = [await tarOf(folder('d', { mode: 0o711 }), big('d/a')), await tarOf(big('d/b'), hardLink('d/c', 'd/a'))];
  const unpackBoth = async (group: LayerGroup): Promise<Layer> => {
    let top: Layer | undefined;
    for (const tar of tars) {
      writeFileSync(path, tar);
      top = await group.unpack(top?.chainId, new ArchiveFile(path), digestOf(tar), never);
    }
    return top as Layer;
  };
  {
    await using group = snapshots.group();
    await unpackBoth(group);
    assert.deepEqual(snapshots.layers(), []);
  }
  assert.deepEqual(readdirSync(join(dataDir, 'tmp')), []);
  await using group = snapshots.group();
  const { chainId, parent } = await unpackBoth(group);
  const broken = chunks(tars[0]?.subarray(0, 2_999_000) ?? Buffer.alloc(0), 100_000);
  await assert.rejects(group.unpack(chainId, broken, undefined, never), { reason: 'Damaged' });
  await group.commit();
  assert.deepEqual(new Set(snapshots.layers().map((layer) => layer.chainId)), new Set([chainId, parent]));
  await snapshots.create('s', chainId);
  const merged = snapshots.mount('s');
  assert.equal(statSync(join(merged, 'd')).mode & 0o777, 0o711, 'as the layer below says');
  assert.equal(readFileSync(join(merged, 'd/c'), 'utf8'), 'd/a'.repeat(3_000_000));
  for (const [index, one] of [parent as Digest, chainId].entries())
    assert.ok((await collect(snapshots.pack(one, never))).equals(tars[index] as Buffer));
});
