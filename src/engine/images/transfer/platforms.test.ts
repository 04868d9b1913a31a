import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { mediaTypes } from '#formats/oci.ts';
import type { Digest, Index, Manifest, Platform } from '#formats/oci.ts';
import { parseReference } from '#formats/reference.ts';
import { chunked, collect, ImageRoom, layerTar } from '#kit/image-room.ts';
import { ScriptedRegistry } from '#kit/scripted-registry.ts';
import { hostPlatform } from './choose-platform.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
const plainly = { force: false, prune: true };
const s390x: Platform = { os: 'linux', architecture: 's390x' };
const ppc64le: Platform = { os: 'linux', architecture: 'ppc64le' };

interface World extends AsyncDisposable {
  readonly registry: ScriptedRegistry;
  readonly room: ImageRoom;
  /** Of the index `multi:1`, which is for this machine, s390x and ppc64le. */
  readonly index: Digest;
  readonly name: string;
  pull(platform?: Platform): Promise<Digest>;
}

async function openWorld(): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const registry = opened.use(await ScriptedRegistry.open());
  const room = opened.use(await ImageRoom.open());
  const manifests = [];
  for (const platform of [s390x, hostPlatform(), ppc64le]) {
    const served = registry.putImage('multi', undefined, [await layerTar({ ...platform })], { platform });
    const size = registry.manifest('multi', served.digest)?.length;
    manifests.push({ mediaType: mediaTypes.ociManifest, digest: served.digest, size, platform });
  }
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const index = registry.putManifest('multi', '1', document, mediaTypes.ociIndex);
  const name = `${registry.host}/multi:1`;
  const kept = opened.move();
  return {
    registry,
    room,
    index,
    name,
    pull: async (platform) => {
      const options = platform === undefined ? {} : { platform };
      return (await room.images.pull(parseReference(name), options, quiet, never)).id;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe('a name that stands for several platforms', () => {
  test('means this machine unless a platform is said, also after a restart', async () => {
    await using world = await openWorld();
    const { room, name, registry } = world;
    const other = await world.pull(s390x);
    assert.equal(room.images.get(name).id, other, 'the only one that is here');
    const own = await world.pull();
    await room.reopen();
    assert.equal(room.images.get(name).id, own);
    assert.equal(room.images.get(name, s390x).id, other);
    assert.throws(() => room.images.get(name, ppc64le), {
      reason: 'NotFound',
      message: `image with reference ${name} was found but its platform (linux/${hostPlatform().architecture}) does not match the specified platform (linux/ppc64le)`,
    });
    registry.seen.length = 0;
    assert.equal(await world.pull(s390x), other);
    assert.deepEqual(
      registry.seen.map(({ method }) => method),
      ['HEAD'],
      'what is here is not asked for again',
    );
    const { target, entries } = await room.images.manifests(name);
    assert.equal(target.digest, world.index);
    assert.deepEqual(
      entries.map(({ image, descriptor }) => [image?.id, descriptor.platform?.architecture]),
      [
        [own, hostPlatform().architecture],
        [other, 's390x'],
        [undefined, 'ppc64le'],
      ],
    );
  });

  test('is pushed as the index when all is here, or as one of its images', async () => {
    await using world = await openWorld();
    await using to = await ScriptedRegistry.open();
    const { room, registry } = world;
    const copy = parseReference(`${to.host}/copy:1`);
    const push = (platform?: Platform) =>
      room.images.push(copy, platform === undefined ? {} : { platform }, quiet, never);
    await world.pull();
    await room.images.tag(world.name, copy);
    const one = await push();
    assert.deepEqual(to.manifest('copy', '1'), registry.manifest('multi', one.digest));
    await world.pull(s390x);
    await room.images.tag(world.name, copy);
    await assert.rejects(push(), {
      reason: 'Conflict',
      message: /some of its platforms are here \(.*s390x\), not all/,
    });
    await assert.rejects(push(ppc64le), { reason: 'NotFound' });
    await push(s390x);
    assert.match(to.manifest('copy', '1')?.toString() ?? '', /layers/);
    await world.pull(ppc64le);
    await room.images.tag(world.name, copy);
    assert.equal((await push()).digest, world.index);
    assert.deepEqual(to.manifest('copy', '1'), registry.manifest('multi', '1'));
    await using third = await ImageRoom.open();
    const pulled = await third.images.pull(copy, { platform: ppc64le }, quiet, never);
    assert.equal(pulled.config.architecture, 'ppc64le');
  });

  test('that was made here is pushed and saved as a new index, with what is claimed of its images', async () => {
    await using to = await ScriptedRegistry.open();
    await using room = await ImageRoom.open();
    const made = await Promise.all(
      [s390x, hostPlatform()].map(async (platform) => {
        const tar = chunked(await layerTar({ ...platform }));
        return (await room.images.import(tar, { platform }, never)).config;
      }),
    );
    const [config = assert.fail(), own = assert.fail()] = made;
    const name = `${to.host}/made:1`;
    const predicate = Buffer.from('{"claimed":true}');
    const attestations = [{ predicateType: 'https://example.org/claim', predicate }];
    await room.images.add({ config, tags: [parseReference(name)], others: [{ config: own, attestations }] }, never);
    await room.reopen();
    assert.equal(room.images.get(name).config.architecture, hostPlatform().architecture);
    const { digest } = await room.images.push(parseReference(name), {}, quiet, never);
    const index = JSON.parse(to.manifest('made', '1')?.toString() ?? '') as Index;
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform?.architecture),
      [hostPlatform().architecture, 's390x', 'unknown'],
    );
    const claims = index.manifests[2]?.digest ?? '';
    assert.match(to.manifest('made', claims)?.toString() ?? '', /example\.org\/claim/);
    assert.equal((await room.images.push(parseReference(name), {}, quiet, never)).digest, digest, 'the same again');
    await keepsClaims(to, name, { digest, claims });
    const archive = await collect(room.images.save([name], {}, never));
    assert.ok(archive.includes('"claimed":true') && archive.includes('https://in-toto.io/Statement/v0.1'));
    await using third = await ImageRoom.open();
    assert.deepEqual(await third.images.load(chunked(archive), {}, quiet, never), [name]);
    assert.equal(third.images.get(name, s390x).config.architecture, 's390x');
    await room.images.remove(name, plainly, never);
    assert.deepEqual(await readdir(join(room.dataDir, 'blobs')), []);
  });

  test('is saved and loaded with all of them, or one', async () => {
    await using world = await openWorld();
    const { room, name } = world;
    const [own, other] = [await world.pull(), await world.pull(s390x)];
    const all = await collect(room.images.save([name], {}, never));
    const one = await collect(room.images.save([name], { platform: s390x }, never));
    for (const [archive, options, expected] of [
      [all, {}, [own, other]],
      [all, { platform: s390x }, [other]],
      [one, {}, [other]],
    ] as const) {
      await using fresh = await ImageRoom.open();
      assert.deepEqual(await fresh.images.load(chunked(archive), options, quiet, never), [name]);
      assert.deepEqual(new Set(fresh.images.list().map(({ id }) => id)), new Set(expected));
      assert.equal(fresh.images.get(name).id, expected[0]);
      assert.equal(fresh.images.get(name, s390x).id, other);
    }
    await using fresh = await ImageRoom.open();
    await assert.rejects(fresh.images.load(chunked(all), { platform: ppc64le }, quiet, never), { reason: 'NotFound' });
    assert.throws(() => room.images.save([name], { platform: ppc64le }, never), { reason: 'NotFound' });
    assert.deepEqual(fresh.images.list(), []);
    assert.deepEqual(await fresh.leftovers(), []);
  });

  test('loses one platform by rmi --platform or by ID, and all by its name', async () => {
    await using world = await openWorld();
    const { room, name } = world;
    const [own, other, third] = [await world.pull(), await world.pull(s390x), await world.pull(ppc64le)];
    await assert.rejects(
      room.images.remove(name, { ...plainly, platforms: [{ os: 'linux', architecture: 'riscv64' }] }, never),
      { reason: 'NotFound' },
    );
    const removed = await room.images.remove(name, { ...plainly, platforms: [s390x] }, never);
    assert.deepEqual(removed[0], { deleted: other });
    assert.equal(room.images.find(other), undefined);
    assert.equal((await room.images.remove(third, plainly, never))[0]?.deleted, third);
    assert.equal(room.images.get(name).id, own);
    await world.pull(s390x);
    const last = await room.images.remove(name, plainly, never);
    assert.deepEqual(
      last.map(({ untagged }) => untagged).filter((one) => one !== undefined),
      [name, `${name.replace(/:1$/, '')}@${world.index}`],
    );
    assert.deepEqual(room.images.list(), []);
    assert.deepEqual(room.snapshots.layers(), []);
    await room.reopen();
    assert.deepEqual(room.images.list(), []);
  });
});

/** Another machine pulls all that an index has, and pushes it elsewhere: nothing of it is another. */
async function keepsClaims(
  from: ScriptedRegistry,
  name: string,
  { digest, claims }: { readonly digest: string; readonly claims: string },
): Promise<void> {
  await using to = await ScriptedRegistry.open();
  await using room = await ImageRoom.open();
  const copy = parseReference(`${to.host}/copy:1`);
  for (const platform of [s390x, hostPlatform()])
    await room.images.pull(parseReference(name), { platform }, quiet, never);
  await room.images.tag(name, copy);
  await room.reopen();
  const entries = (await room.images.manifests(name)).entries.filter(({ image }) => image === undefined);
  assert.deepEqual(
    entries.map((entry) => [entry.descriptor.digest, entry.contentBytes > 0]),
    [[claims, true]],
  );
  assert.equal((await room.images.push(copy, {}, quiet, never)).digest, digest);
  assert.deepEqual(to.manifest('copy', claims), from.manifest('made', claims));
  for (const one of room.images.list()) await room.images.remove(one.id, { force: true, prune: true }, never);
  assert.deepEqual(await readdir(join(room.dataDir, 'blobs')), []);

  // The image is there without what is said of it, when that is lost.
  const { layers } = JSON.parse(from.manifest('made', claims)?.toString() ?? '') as Manifest;
  for (const layer of layers) from.blobs.delete(layer.digest);
  const image = await room.images.pull(parseReference(name), { platform: hostPlatform() }, quiet, never);
  assert.equal(image.config.architecture, hostPlatform().architecture);
  assert.ok(
    (await room.images.manifests(name)).entries.every(
      ({ image: one, contentBytes }) => one !== undefined || contentBytes === 0,
    ),
  );
}
