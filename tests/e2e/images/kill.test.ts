import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { silentLogger } from '#base/logger.ts';
import { createEventLog } from '#engine/events/create-event-log.ts';
import { openImages } from '#engine/images/open-images.ts';
import { openSnapshots } from '#engine/snapshots/open-snapshots.ts';
import { parseReference } from '#formats/reference.ts';
import { removeTree } from '#sys/tree/remove-tree.ts';

import { layerTar, noise } from '../../kit/image-room.ts';
import { ScriptedRegistry } from '../../kit/scripted-registry.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const never = new AbortController().signal;

test('a pull that is killed in the middle leaves nothing that the next start does not clear', async (t) => {
  const root = makeRoot();
  t.after(() => removeTree(root));
  mkdirSync(join(root, 'snapshots'));
  await using registry = await ScriptedRegistry.open();
  const tars = [await layerTar({ a: noise(50_000) }), await layerTar({ b: noise(900_000, 'b') })];
  const served = registry.putImage('app', 'latest', tars);
  const last = served.layerDigests[1] ?? '';
  registry.intercept = ({ url }, response) => {
    if (!url.endsWith(last)) return false;
    response.writeHead(200, { 'content-length': registry.blobs.get(last)?.length });
    response.write(registry.blobs.get(last)?.subarray(0, 700_000));
    return true;
  };
  const name = `${registry.host}/app`;
  const script = fileURLToPath(new URL('pull-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, root, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const seen = new Set<string>();
  for await (const status of createInterface(child.stdout)) {
    // The lower layer is unpacked, the upper one is half there.
    if (seen.add(status).has('Pull complete') && seen.has('Downloading')) child.kill('SIGKILL');
  }
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.equal((await readdir(join(root, 'images', 'intents'))).length, 1);

  const snapshots = await openSnapshots({ dataDir: join(root, 'snapshots'), logger: silentLogger });
  assert.equal(snapshots.layers().length, 1);
  const options = { insecureRegistries: [], users: { usersOf: () => [] }, events: createEventLog() };
  await using images = await openImages(
    { ...options, dataDir: join(root, 'images'), snapshots, logger: silentLogger },
    never,
  );
  assert.deepEqual(images.list(), []);
  assert.deepEqual(snapshots.layers(), []);
  for (const folder of ['scratch', 'intents', 'blobs', 'damaged']) {
    assert.deepEqual(await readdir(join(root, 'images', folder)), [], folder);
  }
  registry.intercept = () => false;
  assert.equal((await images.pull(parseReference(name), {}, () => {}, never)).id, served.configDigest);
});
