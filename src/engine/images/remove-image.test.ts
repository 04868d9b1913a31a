import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { shortId } from '#base/ids.ts';
import type { Digest } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { chunked, ImageRoom, layerTar } from '#kit/image-room.ts';
import { ScriptedRegistry } from '#kit/scripted-registry.ts';
import type { Image } from './images.ts';

const never = new AbortController().signal;
const plainly = { force: false, prune: true };
const forced = { force: true, prune: true };

async function importFile(room: ImageRoom, name: string, content: string = name): Promise<Image> {
  return await room.images.import(chunked(await layerTar({ content })), { tag: parseReference(name) }, never);
}

describe('remove', () => {
  test('the last name takes the image and its layers along; another name only goes itself', async () => {
    await using room = await ImageRoom.open();
    const image = await importFile(room, 'app:1');
    await room.images.tag('app:1', parseReference('app:2'));
    assert.deepEqual(await room.images.remove('app:1', plainly, never), [{ untagged: 'app:1' }]);
    assert.deepEqual(await room.images.remove('app:2', plainly, never), [
      { untagged: 'app:2' },
      { deleted: image.id },
      { deleted: image.topLayer },
    ]);
    assert.deepEqual(room.snapshots.layers(), []);
    await assert.rejects(room.images.remove('app:2', plainly, never), {
      reason: 'NotFound',
      message: 'No such image: app:2',
    });
    assert.deepEqual(await room.leftovers(), []);
  });

  test('by ID an image of one name goes, one of several repositories must be forced', async () => {
    await using room = await ImageRoom.open();
    const image = await importFile(room, 'app:1');
    await room.images.tag('app:1', parseReference('other:1'));
    await assert.rejects(room.images.remove(shortId(image.id), plainly, never), {
      reason: 'Conflict',
      message: `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`,
    });
    const removed = await room.images.remove(image.id, forced, never);
    assert.deepEqual(removed.slice(0, 3), [{ untagged: 'app:1' }, { untagged: 'other:1' }, { deleted: image.id }]);
    const single = await importFile(room, 'single:1');
    assert.equal((await room.images.remove(shortId(single.id), plainly, never)).length, 3);
  });

  test('the digests of a repository go with its last tag', async () => {
    await using registry = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const name = `${registry.host}/app`;
    const served = registry.putImage('app', 'latest', [await layerTar({ a: 'a' })]);
    await room.images.pull(parseReference(name), {}, () => {}, never);
    const removed = await room.images.remove(name, plainly, never);
    assert.deepEqual(removed.slice(0, 3), [
      { untagged: `${name}:latest` },
      { untagged: `${name}@${served.digest}` },
      { deleted: served.configDigest },
    ]);
    await room.images.pull(parseReference(name), {}, () => {}, never);
    assert.equal((await room.images.remove(`${name}@${served.digest}`, plainly, never)).length, 1);
    assert.equal(room.images.list().length, 1);
  });

  test('what containers use stays, in the words that clients know', async () => {
    const users = new Map<Digest, { readonly id: string; readonly running: boolean }[]>();
    await using room = await ImageRoom.open({ users: (id) => users.get(id) ?? [] });
    const image = await importFile(room, 'app:1');
    const container = 'c0ffee'.padEnd(64, '0');
    users.set(image.id, [{ id: container, running: false }]);
    await assert.rejects(room.images.remove('app:1', plainly, never), {
      reason: 'Conflict',
      message:
        `conflict: unable to remove repository reference "app:1" (must force) - ` +
        `container ${shortId(container)} is using its referenced image ${shortId(image.id)}`,
    });
    await assert.rejects(room.images.remove(image.id, plainly, never), {
      message: `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is being used by stopped container ${shortId(container)}`,
    });
    users.set(image.id, [{ id: container, running: true }]);
    await assert.rejects(room.images.remove(image.id, forced, never), {
      message: `conflict: unable to delete ${shortId(image.id)} (cannot be forced) - image is being used by running container ${shortId(container)}`,
    });
    assert.deepEqual(await room.images.remove('app:1', forced, never), [{ untagged: 'app:1' }]);
    assert.equal(room.images.list().length, 1, 'the image of a running container stays, without a name');
    users.clear();
    assert.equal((await room.images.remove(image.id, plainly, never)).length, 2);
  });

  test('parents without names go along unless they are to stay; children keep their parents', async () => {
    await using room = await ImageRoom.open();
    const base = await importFile(room, 'base:1');
    const middle = await room.images.add({ config: { ...base.config, author: 'middle' }, parent: base.id }, never);
    const top = { config: { ...base.config, author: 'top' }, parent: middle.id, tags: [parseReference('top:1')] };
    const { id } = await room.images.add(top, never);
    await assert.rejects(room.images.remove(middle.id, forced, never), {
      message: `conflict: unable to delete ${shortId(middle.id)} (cannot be forced) - image has dependent child images`,
    });
    assert.deepEqual(await room.images.remove('base:1', plainly, never), [{ untagged: 'base:1' }]);
    await room.images.tag(base.id, parseReference('base:1'));
    assert.deepEqual(await room.images.remove('top:1', { force: false, prune: false }, never), [
      { untagged: 'top:1' },
      { deleted: id },
    ]);
    await room.images.add(top, never);
    assert.deepEqual(await room.images.remove('top:1', plainly, never), [
      { untagged: 'top:1' },
      { deleted: id },
      { deleted: middle.id },
    ]);
    assert.deepEqual(
      room.images.list().map((image) => image.id),
      [base.id],
    );
  });

  test('a layer that is held, or that another image stands on, stays', async () => {
    await using room = await ImageRoom.open();
    const one = await importFile(room, 'one:1', 'shared');
    const two = await room.images.add(
      { config: { ...one.config, author: 'two' }, tags: [parseReference('two:1')] },
      never,
    );
    assert.equal((await room.images.remove('one:1', plainly, never)).length, 2);
    const layer = two.topLayer ?? assert.fail();
    using hold = room.images.hold(layer);
    assert.equal((await room.images.remove('two:1', plainly, never)).length, 2);
    assert.notEqual(room.snapshots.layer(layer), undefined);
    await room.images.add({ config: two.config, tags: [parseReference('two:1')] }, never);
    hold[Symbol.dispose]();
    assert.equal((await room.images.remove('two:1', plainly, never)).length, 3);
  });
});

describe('prune', () => {
  test('dangling images go, or all that nobody uses, as far as the filter says', async () => {
    const users = new Map<Digest, { readonly id: string; readonly running: boolean }[]>();
    await using room = await ImageRoom.open({ users: (id) => users.get(id) ?? [] });
    const [tagged, used] = [await importFile(room, 'tagged:1'), await importFile(room, 'used:1')];
    users.set(used.id, [{ id: 'a'.repeat(64), running: false }]);
    const dangling = await importFile(room, 'moved:1', 'old');
    const current = await importFile(room, 'moved:1', 'new');
    const config = { ...current.config, author: 'child' };
    const child = await room.images.add({ config, parent: current.id, tags: [parseReference('child:1')] }, never);
    const spared = await room.images.prune({ danglingOnly: true, only: () => false }, never);
    assert.deepEqual(spared, { removed: [], freedBytes: 0 });
    const first = await room.images.prune({ danglingOnly: true }, never);
    assert.deepEqual(first.removed, [{ deleted: dangling.id }, { deleted: dangling.topLayer }]);
    assert.equal(first.freedBytes, dangling.sizeBytes);
    const all = await room.images.prune({ danglingOnly: false }, never);
    assert.deepEqual(
      new Set(all.removed.map(({ deleted }) => deleted)),
      new Set([undefined, tagged.id, tagged.topLayer, child.id, current.id, current.topLayer]),
    );
    assert.deepEqual(
      room.images.list().map(({ id }) => id),
      [used.id],
    );
  });
});
