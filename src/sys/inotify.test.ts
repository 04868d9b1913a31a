import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { ArrivalWatch, parseInotify } from './inotify.ts';

test('a file that is renamed into a watched folder is told, one that is written is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inotify-'));
  using arrivals = new ArrivalWatch();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const seen: (string | undefined)[] = [];
  using watch = arrivals.watch(folder, (name) => {
    seen.push(name);
    if (name === 'last') resolve(name);
  });
  writeFileSync(join(folder, 'draft'), 'a');
  renameSync(join(folder, 'draft'), join(folder, 'exit'));
  writeFileSync(join(folder, 'other'), 'b');
  renameSync(join(folder, 'other'), join(folder, 'last'));
  await promise;
  assert.deepEqual(seen, ['exit', 'last']);
  watch[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

test('a folder that is not there throws', () => {
  using arrivals = new ArrivalWatch();
  assert.throws(() => arrivals.watch('/nonexistent/folder', () => {}), { code: 'ENOENT' });
});

test('whole events are read, whatever comes after them', () => {
  const event = Buffer.alloc(32);
  event.writeInt32LE(7, 0);
  event.writeUInt32LE(0x80, 4);
  event.writeUInt32LE(16, 12);
  event.write('name', 16);
  assert.deepEqual(parseInotify(event), [{ watch: 7, mask: 0x80, name: 'name' }]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.ok(Array.isArray(parseInotify(Buffer.from(bytes))));
    }),
    { numRuns: 200 },
  );
});
