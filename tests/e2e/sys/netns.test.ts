import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';

import { hasCode } from '#sys/errno.ts';
import { createNetns, inNetns, isNetns, removeNetns } from '#sys/netns.ts';

const own = '/proc/thread-self/ns/net';

test('a namespace is pinned, entered and left', (t) => {
  const folder = makeFolder(t);
  const path = join(folder, 'one');
  const home = readlinkSync(own);
  createNetns(path);
  assert.equal(readlinkSync(own), home);
  assert.equal(isNetns(path), true);
  const inside = inNetns(path, () => ({ namespace: readlinkSync(own), interfaces: interfaces() }));
  assert.notEqual(inside.namespace, home);
  assert.deepEqual(inside.interfaces, ['lo']);
  assert.equal(readlinkSync(own), home);
  assert.throws(
    () => createNetns(path),
    (error) => hasCode(error, 'EEXIST'),
  );
  assert.throws(() => inNetns(path, () => readdirSync('/nowhere')));
  assert.equal(readlinkSync(own), home);
  removeNetns(path);
  removeNetns(path);
  assert.deepEqual(readdirSync(folder), []);
});

test('a plain file that a crash left is not a namespace', (t) => {
  const path = join(makeFolder(t), 'left');
  writeFileSync(path, '');
  const home = readlinkSync(own);
  assert.equal(isNetns(path), false);
  assert.equal(isNetns(`${path}-missing`), false);
  assert.throws(() => inNetns(path, () => 1));
  assert.equal(readlinkSync(own), home);
  removeNetns(path);
});

test('the event loop stays at home', async (t) => {
  const path = join(makeFolder(t), 'one');
  createNetns(path);
  inNetns(path, () => undefined);
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
});

/** Interfaces of the thread's own namespace; /proc/net would be the main thread's. */
function interfaces(): readonly string[] {
  return [...readFileSync('/proc/thread-self/net/dev', 'utf8').matchAll(/^\s*([^\s:|]+):/gm)].map(
    ([, name]) => name ?? '',
  );
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'netns-'));
  t.after(() => {
    for (const name of readdirSync(folder)) removeNetns(join(folder, name));
    rmSync(folder, { recursive: true });
  });
  return folder;
}
