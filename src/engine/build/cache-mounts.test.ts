import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { type CacheMountRequest, CacheMounts } from './cache-mounts.ts';

const never = new AbortController().signal;
const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

async function open(t: TestContext): Promise<{ readonly mounts: CacheMounts; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-mounts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, '.half'));
  const mounts = new CacheMounts(folder);
  await mounts.open();
  return { mounts, folder };
}

function request(change: Partial<CacheMountRequest> = {}): CacheMountRequest {
  return { id: 'x', sharing: 'shared', mode: 0o750, ...me, fill: async () => await Promise.resolve(), ...change };
}

test('a folder outlives its users, and is filled once', async (t) => {
  const { mounts } = await open(t);
  let fills = 0;
  const fill = async (folder: string): Promise<void> => {
    fills += 1;
    writeFileSync(join(folder, 'file'), 'filled');
    await Promise.resolve();
  };
  {
    await using one = await mounts.acquire(request({ fill }), never);
    await using other = await mounts.acquire(request({ fill }), never);
    assert.equal(one.path, other.path);
    assert.equal(statSync(one.path).mode & 0o777, 0o750);
    writeFileSync(join(one.path, 'file'), 'kept');
  }
  await using again = await mounts.acquire(request({ fill }), never);
  assert.equal(readFileSync(join(again.path, 'file'), 'utf8'), 'kept');
  assert.equal(fills, 1);
});

test('a failing fill leaves nothing', async (t) => {
  const { mounts } = await open(t);
  const fill = (): Promise<void> => Promise.reject(new Error('no'));
  await assert.rejects(mounts.acquire(request({ fill }), never), /no/);
  assert.deepEqual(await mounts.list(never), []);
});

test('private ones have folders of their own while they are in use', async (t) => {
  const { mounts } = await open(t);
  const one = await mounts.acquire(request({ sharing: 'private' }), never);
  await using other = await mounts.acquire(request({ sharing: 'private' }), never);
  assert.notEqual(one.path, other.path);
  await one[Symbol.asyncDispose]();
  await using third = await mounts.acquire(request({ sharing: 'private' }), never);
  assert.equal(third.path, one.path);
});

test('locked ones wait for each other, one at a time, or until aborted', async (t) => {
  const { mounts } = await open(t);
  let inside = 0;
  const use = async (): Promise<void> => {
    await using _ = await mounts.acquire(request({ sharing: 'locked' }), never);
    inside += 1;
    assert.equal(inside, 1);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all([use(), use(), use(), use()]);
  await using _ = await mounts.acquire(request({ sharing: 'locked' }), never);
  const controller = new AbortController();
  const waiting = mounts.acquire(request({ sharing: 'locked' }), controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});

test('each is listed with its ID and size, and what is in use cannot be removed', async (t) => {
  const { mounts } = await open(t);
  {
    await using one = await mounts.acquire(request({ id: 'one' }), never);
    writeFileSync(join(one.path, 'file'), '12345');
  }
  await using other = await mounts.acquire(request({ id: 'other' }), never);
  const listed = (await mounts.list(never)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(
    listed.map(({ id, sizeBytes, inUse }) => [id, sizeBytes, inUse]),
    [
      ['one', 5, false],
      ['other', 0, true],
    ],
  );
  const removed: boolean[] = [];
  for (const { name } of [...listed, { name: 'never' }]) removed.push(await mounts.remove(name));
  assert.deepEqual(removed, [true, false, false]);
  writeFileSync(join(other.path, 'still'), 'there');
});
