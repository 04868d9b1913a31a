import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { isDiskFull } from '#base/errors.ts';
import { command, commandOutput } from '../../kit/command.ts';
import { never, reason } from '../../kit/store-suite/driver.ts';
import { changesUntil } from '../../kit/store-suite/watching.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import type { Store } from '#store/store.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';
import { verifyStore } from '#store/sqlite/verify-store.ts';

test('a full disk refuses writes and loses nothing, and all goes on when there is room', async (t) => {
  const root = makeRoot();
  t.after(async () => {
    await command('umount', ['-l', root]);
    rmSync(root, { recursive: true });
  });
  await commandOutput('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', root]);
  const folder = join(root, 'store');
  const ballast = join(root, 'ballast');
  writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
  {
    await using store = await openSqliteStore(folder);
    const since = await store.revision(never);
    const written = await putUntilFull(store, 'a');
    assert.ok(written.size > 0);
    await assertAll(store, written);
    rmSync(ballast);
    const last = await store.put('/a/after', new Uint8Array(10_000), 0n, {}, never);
    const changes = await changesUntil(store, '/', since, last);
    assert.deepEqual(
      changes.map(({ key }) => key),
      [...written.keys(), '/a/after'],
    );
    await assertAll(store, written);
  }
  assert.deepEqual(verifyStore(folder).problems, []);
  // A daemon that starts on a full disk says so, and starts when there is room.
  fill(ballast);
  await assert.rejects(openSqliteStore(folder), (error) => reason('DiskFull')(error) || isDiskFull(error));
  rmSync(ballast);
  await using store = await openSqliteStore(folder);
  assert.equal((await store.get('/a/after', never))?.value.length, 10_000);
});

/** What was acknowledged until the disk was full, by key. */
async function putUntilFull(store: Store, name: string): Promise<ReadonlyMap<string, bigint>> {
  const written = new Map<string, bigint>();
  for (let count = 0; count < 1000; count += 1) {
    const key = `/${name}/${String(count)}`;
    try {
      written.set(key, await store.put(key, new Uint8Array(20_000).fill(count), 0n, {}, never));
    } catch (error) {
      assert.ok(reason('DiskFull')(error), String(error));
      return written;
    }
  }
  throw new Error('the disk is never full');
}

async function assertAll(store: Store, written: ReadonlyMap<string, bigint>): Promise<void> {
  for (const [key, revision] of written) assert.equal((await store.get(key, never))?.revision, revision);
}

/** To the last byte. */
function fill(path: string): void {
  for (const size of [1024 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }
}
