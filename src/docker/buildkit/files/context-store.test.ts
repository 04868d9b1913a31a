import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { Uploads } from '../../uploads.ts';
import { ContextStore } from './context-store.ts';

async function storeIn(t: { after(work: () => Promise<void>): void }): Promise<ContextStore> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-contexts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return new ContextStore(await Uploads.open(folder));
}

describe('contexts that are kept', () => {
  test('come back under their key, and a second user gets a folder that goes', async (t) => {
    const store = await storeIn(t);
    const first = await store.lease('a');
    await writeFile(join(first.path, 'x'), '');
    const second = await store.lease('a');
    assert.notEqual(second.path, first.path);
    await second[Symbol.asyncDispose]();
    assert.ok(!existsSync(second.path));
    await first[Symbol.asyncDispose]();
    await using again = await store.lease('a');
    assert.equal(again.path, first.path);
    assert.ok(existsSync(join(again.path, 'x')));
  });

  test('two that come at once do not share', async (t) => {
    const store = await storeIn(t);
    const [one, other] = await Promise.all([store.lease('a'), store.lease('a')]);
    assert.notEqual(one.path, other.path);
  });

  test('are bounded: the one that was not used for longest goes', async (t) => {
    const store = await storeIn(t);
    const paths: string[] = [];
    for (let key = 0; key < 20; key += 1) {
      await using lease = await store.lease(String(key));
      paths.push(lease.path);
    }
    assert.deepEqual(
      paths.map((path) => existsSync(path)),
      paths.map((_, index) => index >= 4),
    );
  });
});
