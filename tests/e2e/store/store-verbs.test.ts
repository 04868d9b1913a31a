import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { command, type CommandResult } from '../../kit/command.ts';
import { bytes, never, text } from '../../kit/store-suite/driver.ts';
import { tempFolder } from '../../kit/temp-root.ts';
import { repository } from '../../kit/tools.ts';
import { openSqliteStore } from '#store/sqlite/open-sqlite-store.ts';

const folderOf = (root: string): string => join(root, 'var/lib/slipway/store');

test('slipway store verify, backup and restore', async (t) => {
  const root = tempFolder(t);
  const slipway = slipwayOf(root);
  assert.equal((await slipway('store', 'verify')).code, 4);
  assert.equal((await slipway('store', 'backup', join(root, 'none.db'))).code, 4);
  const [plain, compressed] = [join(root, 'backup.db'), join(root, 'backup.db.zst')];
  let last = 0n;
  {
    // As the daemon has it: open, and written to.
    await using store = await openSqliteStore(folderOf(root));
    for (let count = 0; count < 20; count += 1)
      last = await store.put('/registry/a', bytes(`old ${String(count)}`), last, {}, never);
    const verified = await slipway('store', 'verify');
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /revision 21\n1 keys, 20 changes in the log\nall is well/);
    for (const file of [plain, compressed]) {
      const made = await slipway('store', 'backup', file);
      assert.equal(made.code, 0, made.stderr);
      assert.match(made.stdout, /1 keys at revision 21/);
    }
    last = await store.put('/registry/a', bytes('new'), last, {}, never);
    const refused = await slipway('store', 'restore', plain);
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /has it open/);
  }
  for (const file of [plain, compressed]) {
    const restored = await slipway('store', 'restore', file);
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /restored 1 keys.*\nwhat was there is in .*replaced\.db/);
    await using store = await openSqliteStore(folderOf(root));
    assert.equal(text((await store.get('/registry/a', never))?.value), 'old 19');
    assert.ok((await store.revision(never)) > last, 'revisions go on beyond those that were given');
    await assert.rejects(store.watch('/', last, never)[Symbol.asyncIterator]().next(), /too old resource version/);
  }
  assert.deepEqual(readdirSync(root).sort(), ['backup.db', 'backup.db.zst', 'var']);
});

test('a damaged store is told, and a damaged backup is not put in its place', async (t) => {
  const root = tempFolder(t);
  const slipway = slipwayOf(root);
  {
    await using store = await openSqliteStore(folderOf(root));
    await store.put('/registry/a', bytes('some value that is long enough'), 0n, {}, never);
  }
  const backup = join(root, 'backup.db');
  assert.equal((await slipway('store', 'backup', backup)).code, 0);
  const bad = join(root, 'bad.db');
  for (const [from, to] of [
    [backup, bad],
    [join(folderOf(root), 'store.db'), join(folderOf(root), 'store.db')],
  ] as const)
    writeFileSync(to, readFileSync(from, 'latin1').replaceAll('long enough', 'LONG enough'), 'latin1');
  const verified = await slipway('store', 'verify', '--json');
  assert.equal(verified.code, 8);
  const { problems } = JSON.parse(verified.stdout) as { readonly problems: readonly string[] };
  assert.match(problems.join('\n'), /the present value of "\/registry\/a" at revision 2 is not what was written/);
  const refused = await slipway('store', 'restore', bad);
  assert.equal(refused.code, 8);
  assert.equal((await slipway('store', 'restore', join(root, 'nothing'))).code, 4);
  assert.equal((await slipway('store', 'restore', backup)).code, 0);
  assert.equal((await slipway('store', 'verify')).code, 0);
  // Whoever only reads leaves the empty files of the write-ahead log.
  const names = readdirSync(folderOf(root)).filter((name) => !/-(wal|shm)$/.test(name));
  assert.deepEqual(names.sort(), ['lock', 'replaced.db', 'store.db']);
});

function slipwayOf(root: string): (...args: readonly string[]) => Promise<CommandResult> {
  const shim = join(repository, 'bin/slipway');
  return async (...args) => await command(process.execPath, [shim, '--root', root, ...args]);
}
