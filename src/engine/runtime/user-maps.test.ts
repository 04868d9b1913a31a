import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openUserMaps, type UserMapOptions } from './user-maps.ts';

function folderWith(t: TestContext, text: string): UserMapOptions {
  const folder = mkdtempSync(join(tmpdir(), 'sw-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['etc', 'run']) mkdirSync(join(folder, name));
  for (const file of ['subuid', 'subgid']) writeFileSync(join(folder, 'etc', file), text);
  return { remap: '', etcFolders: ['/nowhere', join(folder, 'etc')], dataDir: folder, runDir: join(folder, 'run') };
}

test('without the setting there are none', async (t) => {
  using maps = await openUserMaps(folderWith(t, ''));
  assert.equal(maps.ids, undefined);
});

test('a user without a range is told how to get one', async (t) => {
  const options = folderWith(t, 'joe:100000:65536\n');
  for (const [remap, message] of [
    ['daemon', /etc\/subuid has no range for "daemon"; add one by echo daemon:231072:65536 >>/],
    ['default', /no range for "dockremap"; add one by useradd --system dockremap, and echo/],
    ['joe:staff', /etc\/subgid has no range for "staff"/],
  ] as const)
    await assert.rejects(openUserMaps({ ...options, remap }), message);
});

test('a folder that others may not pass is named', async (t) => {
  // By its number: nobody of passwd(5), whom every Debian has.
  const options = { ...folderWith(t, 'nobody:100000:65536\n'), remap: '65534' };
  chmodSync(options.dataDir, 0o700);
  await assert.rejects(openUserMaps(options), new RegExp(`pass through "${options.dataDir}"; say chmod o\\+x`));
});
