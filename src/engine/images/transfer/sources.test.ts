import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseReference } from '#formats/reference.ts';
import { ImageRoom, layerTar, noise } from '#kit/image-room.ts';
import { refuse, ScriptedRegistry } from '#kit/scripted-registry.ts';

const never = new AbortController().signal;
const quiet = (): void => {};
const tars = [layerTar({ a: noise(50_000) }), layerTar({ b: 'b' })];

async function put(registry: ScriptedRegistry, repository: string) {
  return registry.putImage(repository, '1', await Promise.all(tars));
}

describe('mirrors', () => {
  test('are asked first, say which registry they stand for, and give the image its own name', async () => {
    await using mirror = await ScriptedRegistry.open();
    const served = await put(mirror, 'hub/library/app');
    await using room = await ImageRoom.open({ mirrors: { 'docker.io': [`http://${mirror.host}/hub`] } });
    const auth = { username: 'ada', password: 'secret' };
    const image = await room.images.pull(parseReference('app:1'), { auth }, quiet, never);
    assert.deepEqual(image.tags, ['app:1']);
    assert.deepEqual(image.repoDigests, [`app@${served.digest}`]);
    assert.ok(mirror.seen.every(({ url }) => url.includes('ns=docker.io')));
    assert.ok(
      mirror.seen.every(({ authorization }) => authorization === undefined),
      'credentials are for the registry itself',
    );
    mirror.seen.length = 0;
    await room.images.pull(parseReference('app:1'), {}, quiet, never);
    assert.deepEqual(
      mirror.seen.map(({ method }) => method),
      ['HEAD'],
    );
  });

  test('that are away, ill or empty are passed over, in the middle of a pull too', async () => {
    await using registry = await ScriptedRegistry.open();
    const served = await put(registry, 'app');
    await using ill = await ScriptedRegistry.open();
    await put(ill, 'app');
    await using empty = await ScriptedRegistry.open();
    const gone = await ScriptedRegistry.open();
    const mirrors = { '*': [gone, empty, ill].map(({ host }) => `http://${host}`) };
    await gone[Symbol.asyncDispose]();
    await using room = await ImageRoom.open({ mirrors });
    const blob = served.layerDigests[0] ?? '';
    ill.intercept = ({ url }, response) => {
      if (!url.includes(blob)) return false;
      refuse(response, 500, 'UNKNOWN', 'the disk is gone');
      return true;
    };
    const image = await room.images.pull(parseReference(`${registry.host}/app:1`), {}, quiet, never);
    assert.equal(image.id, served.configDigest);
    assert.ok(ill.seen.some(({ url }) => url.startsWith('/v2/app/manifests/1')));
    assert.ok(empty.seen.length > 0);
    const blobs = registry.seen.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url);
    assert.ok(blobs.includes(`/v2/app/blobs/${blob}`));
  });

  test('a mirror that lies about bytes is passed over; what nobody has is what the registry says', async () => {
    await using registry = await ScriptedRegistry.open();
    const served = await put(registry, 'app');
    await using mirror = await ScriptedRegistry.open();
    await put(mirror, 'app');
    await using room = await ImageRoom.open({ mirrors: { [registry.host]: [`http://${mirror.host}`] } });
    mirror.blobs.set(served.layerDigests[0] ?? '', Buffer.from('lies'));
    const image = await room.images.pull(parseReference(`${registry.host}/app:1`), {}, quiet, never);
    assert.equal(image.id, served.configDigest);
    await assert.rejects(room.images.pull(parseReference(`${registry.host}/app:no`), {}, quiet, never), {
      reason: 'NotFound',
      message: `manifest for ${registry.host}/app:no not found: manifest unknown: manifest unknown`,
    });
  });
});
