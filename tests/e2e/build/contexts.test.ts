import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, before, test } from 'node:test';

import { openRunWorld, type RunWorld } from './run-world.ts';

let world: RunWorld;

before(async () => {
  world = await openRunWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test('a folder as named context: FROM, COPY --from, mounts; what it ignores is not there', async () => {
  const path = join(world.folder, 'other');
  mkdirSync(join(path, 'd'), { recursive: true });
  for (const name of ['a', 'd/b', 'd/ignored']) writeFileSync(join(path, name), name);
  writeFileSync(join(path, '.dockerignore'), 'd/ignored\n');
  const contexts = { lib: { kind: 'folder', path }, image: { kind: 'image', name: 'busybox:1' } } as const;
  const { files } = await world.build('FROM lib', { contexts });
  assert.deepEqual(await files('d'), ['d/b 644 0:0 d/b']);
  const { output, files: both } = await world.build(
    'FROM nowhere AS lib\nFROM image\nCOPY --from=lib d /copied\nRUN --mount=from=lib,source=d,target=/m ls /m; cat /m/b',
    { contexts },
  );
  assert.equal(output, 'b\nd/b');
  assert.deepEqual(await both('copied'), ['copied/b 644 0:0 d/b']);
  const again = await world.build('FROM lib\nUSER x', { contexts });
  assert.ok(
    again.events.some(({ kind }) => kind === 'cached'),
    'the same files are the same layer',
  );
});

test('stages that may not use the cache', async () => {
  const text = 'FROM busybox:1 AS one\nRUN echo one\nFROM busybox:1\nRUN echo two\nCOPY --from=one /bin/sh /x';
  await world.build(text);
  assert.equal((await world.build(text, { noCacheStages: ['One'] })).output, 'one\n');
  assert.equal((await world.build(text, { noCacheStages: ['1'] })).output, 'two\n');
});
