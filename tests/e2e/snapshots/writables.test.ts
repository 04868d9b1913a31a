import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { reasonOf } from '#base/errors.ts';
import type { Layer, Snapshots } from '#engine/snapshots/snapshots.ts';
import { isMountPoint } from '#sys/mount-info.ts';
import { unmount } from '#sys/mounts.ts';
import { getXattr, setXattr } from '#sys/xattrs.ts';

import { eventually } from '../../kit/eventually.ts';
import { collect, digestOf, file, folder, link, makeWorld, never, unpack } from './world.ts';

test('a snapshot is created, mounted, restarted and removed', async (t) => {
  const world = makeWorld(t);
  await using first = await world.open();
  const base = await unpack(first, undefined, folder('./', { mode: 0o711, uid: 3 }), file('a', 'a'));
  await first.create('one', base.chainId);
  await first.create('scratch', undefined);
  await assert.rejects(first.create('one', base.chainId), (error) => reasonOf(error) === 'Conflict');
  await assert.rejects(first.create('../x', undefined), (error) => reasonOf(error) === 'InvalidArgument');
  const root = first.mount('one');
  assert.equal(first.mount('one'), root);
  assert.deepEqual([lstatSync(root).mode & 0o7777, lstatSync(root).uid], [0o711, 3]);
  writeFileSync(join(root, 'b'), 'bb');
  assert.deepEqual(readdirSync(first.mount('scratch')), []);
  assert.equal(await first.writtenBytes('one', never), 2);

  mkdirSync(join(world.dataDir, 'writable/half/upper'), { recursive: true });
  await using second = await world.open();
  assert.deepEqual([...second.writables()].sort(), ['one', 'scratch']);
  assert.equal(existsSync(join(world.dataDir, 'writable/half')), false);
  assert.equal(second.isMounted('one'), true);
  unmount(root);
  assert.equal(second.isMounted('one'), false);
  assert.equal(readFileSync(join(second.mount('one'), 'b'), 'utf8'), 'bb');
  second.unmount('one');
  second.unmount('one');
  assert.equal(isMountPoint(root), false);
  second.mount('one');
  await second.remove('one');
  await second.remove('one');
  assert.equal(isMountPoint(root), false);
  assert.equal(existsSync(join(world.dataDir, 'writable/one')), false);
  assert.throws(() => second.mount('one'), /Cannot find snapshot "one"/);
});

test('a busy snapshot is removed all the same', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  await snapshots.create('one', undefined);
  const root = snapshots.mount('one');
  mkdirSync(join(root, 'd'));
  const handle = await (await import('node:fs/promises')).open(join(root, 'd'));
  await snapshots.remove('one');
  await handle.close();
  assert.equal(isMountPoint(root), false);
  await nothingIsLeft(world);
});

test('differences are told as docker diff does', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const base = await makeBase(snapshots);
  await snapshots.create('one', base.chainId);
  change(snapshots.mount('one'));
  const changes = await snapshots.changes('one', never);
  assert.deepEqual(
    changes.map(({ path, kind }) => `${{ modified: 'C', added: 'A', deleted: 'D' }[kind]} ${path}`),
    [
      'C /deep',
      'C /deep/er',
      'A /deep/er/new',
      'C /etc',
      'C /etc/config',
      'D /etc/gone',
      'C /linked',
      'C /remade',
      'D /remade/old',
      'A /remade/young',
      'C /tool',
      'D /whole',
    ],
  );
});

test('commit and commitCopy make the same layer, which packs, travels and mounts like the snapshot', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  const base = await makeBase(snapshots);
  await snapshots.create('one', base.chainId);
  const root = snapshots.mount('one');
  change(root);
  const copy = await snapshots.commitCopy('one', never);
  assert.equal(snapshots.isMounted('one'), true);
  const moved = await snapshots.commit('one', never);
  assert.deepEqual(moved, copy);
  assert.deepEqual(snapshots.writables(), []);
  assert.equal(isMountPoint(root), false);
  const bytes = await collect(snapshots.pack(moved.chainId, never));
  assert.equal(digestOf(bytes), moved.diffId);

  const other = makeWorld(t);
  await using elsewhere = await other.open();
  const sameBase = await makeBase(elsewhere);
  const travelled = await elsewhere.unpack(
    sameBase.chainId,
    [bytes] as unknown as AsyncIterable<Uint8Array>,
    moved.diffId,
    never,
  );
  assert.deepEqual(travelled, moved);
  for (const [place, id] of [
    [snapshots, 'here'],
    [elsewhere, 'there'],
  ] as const) {
    await place.create(id, moved.chainId);
    const seen = place.mount(id);
    assert.deepEqual(readdirSync(seen).sort(), ['deep', 'etc', 'linked', 'remade', 'tool']);
    assert.deepEqual(readdirSync(join(seen, 'etc')).sort(), ['config']);
    assert.deepEqual(readdirSync(join(seen, 'remade')), ['young']);
    assert.equal(readFileSync(join(seen, 'etc/config'), 'utf8'), 'changed');
    assert.equal(lstatSync(join(seen, 'tool')).ino, lstatSync(join(seen, 'linked')).ino);
    assert.equal(lstatSync(join(seen, 'tool')).mode & 0o7777, 0o4755);
    assert.deepEqual(getXattr(join(seen, 'tool'), 'user.note'), Uint8Array.from([1, 2]));
  }
});

test('a changed root folder travels', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  await snapshots.create('one', undefined);
  chmodSync(snapshots.mount('one'), 0o700);
  const layer = await snapshots.commit('one', never);
  const bytes = await collect(snapshots.pack(layer.chainId, never));
  await using elsewhere = await makeWorld(t).open();
  await elsewhere.unpack(undefined, [bytes] as unknown as AsyncIterable<Uint8Array>, layer.diffId, never);
  await elsewhere.create('one', layer.chainId);
  assert.equal(lstatSync(elsewhere.mount('one')).mode & 0o7777, 0o700);
});

test('a volatile mount can be made again, and committed', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  await snapshots.create('one', undefined);
  for (const name of ['a', 'b']) {
    writeFileSync(join(snapshots.mount('one', { volatile: true }), name), name);
    snapshots.unmount('one');
  }
  assert.deepEqual(readdirSync(snapshots.mount('one')).sort(), ['a', 'b']);
  const layer = await snapshots.commit('one', never);
  assert.equal(layer.sizeBytes, 2);
});

test('a commit that is broken off leaves the snapshot; a name that means a deletion is refused', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  await snapshots.create('one', undefined);
  const root = snapshots.mount('one');
  writeFileSync(join(root, '.wh.odd'), '');
  await assert.rejects(snapshots.commit('one', never), (error) => reasonOf(error) === 'NotSupported');
  await assert.rejects(snapshots.commit('one', AbortSignal.abort()));
  rmSync(join(snapshots.mount('one'), '.wh.odd'));
  writeFileSync(join(root, 'fine'), '');
  await snapshots.commit('one', never);
  await nothingIsLeft(world);
});

test('128 layers are mounted', async (t) => {
  const world = makeWorld(t);
  await using snapshots = await world.open();
  let top: Layer | undefined;
  for (let index = 0; index < 128; index += 1)
    top = await unpack(snapshots, top, file(`f${String(index)}`), file('same', String(index)));
  await snapshots.create('one', top?.chainId);
  const root = snapshots.mount('one');
  assert.equal(readdirSync(root).length, 129);
  assert.equal(readFileSync(join(root, 'same'), 'utf8'), '127');
});

/** What was removed goes in the background. */
async function nothingIsLeft(world: { readonly dataDir: string }): Promise<void> {
  await eventually('nothing half-removed is left', () => readdirSync(join(world.dataDir, 'tmp')).length === 0);
}

async function makeBase(snapshots: Snapshots): Promise<Layer> {
  return unpack(
    snapshots,
    undefined,
    file('etc/config', 'config'),
    file('etc/gone', 'gone'),
    file('whole/a', 'a'),
    file('remade/old', 'old'),
    file('deep/er/kept', 'kept'),
    file('tool', 'tool', { mode: 0o755 }),
    link('linked', 'tool'),
  );
}

/** What a container may do to the base: all kinds of changes. */
function change(root: string): void {
  writeFileSync(join(root, 'etc/config'), 'changed');
  unlinkSync(join(root, 'etc/gone'));
  rmSync(join(root, 'whole'), { recursive: true });
  rmSync(join(root, 'remade'), { recursive: true });
  mkdirSync(join(root, 'remade'));
  writeFileSync(join(root, 'remade/young'), 'young');
  writeFileSync(join(root, 'deep/er/new'), 'new');
  unlinkSync(join(root, 'tool'));
  unlinkSync(join(root, 'linked'));
  writeFileSync(join(root, 'tool'), 'new tool');
  chmodSync(join(root, 'tool'), 0o4755);
  setXattr(join(root, 'tool'), 'user.note', Buffer.of(1, 2));
  linkSync(join(root, 'tool'), join(root, 'linked'));
  symlinkSync('x', join(root, 'temporary'));
  renameSync(join(root, 'temporary'), join(root, 'renamed'));
  unlinkSync(join(root, 'renamed'));
}
