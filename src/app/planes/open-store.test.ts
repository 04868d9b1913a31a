import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempFolder } from '#kit/temp-root.ts';

import { openStore } from './open-store.ts';
import { parseStoreUrl, storeSettings } from './store-settings.ts';

const { signal } = new AbortController();
const none = { url: '', caPath: '', certificatePath: '', keyPath: '' };

test('a URL names the members of a cluster, and where keys begin', () => {
  assert.deepEqual(parseStoreUrl('etcd://one:2379,two:2379/slipway/'), {
    scheme: 'etcd',
    members: ['one:2379', 'two:2379'],
    prefix: '/slipway',
  });
  assert.deepEqual(parseStoreUrl('https://one:2379, https://[::1]:443'), {
    scheme: 'https',
    members: ['one:2379', '[::1]:443'],
    prefix: '',
  });
  assert.equal(parseStoreUrl('http://127.0.0.1:80')?.members[0], '127.0.0.1:80');
});

test('what is no such URL is refused', () => {
  const bad = [
    'one:2379',
    'postgres://one:5432',
    'etcd://',
    'etcd://one',
    'etcd://one:x',
    'etcd://one:2379/a,two:2379',
    'https://one:2379,http://two:2379',
    'etcd://user:secret@one:2379',
    'etcd://one:2379?x=y',
  ];
  for (const url of bad) assert.equal(storeSettings.url.type.parse(url), undefined, url);
  for (const url of ['', 'etcd://one:2379']) assert.equal(storeSettings.url.type.parse(url), url);
});

test('without a URL it is a database in a folder', async (t) => {
  const { store, isExclusive } = await openStore(none, join(tempFolder(t), 'store'), signal);
  t.after(async () => await store[Symbol.asyncDispose]());
  assert.ok(isExclusive);
  assert.equal((await store.list('/', {}, signal)).entries.length, 0);
});

test('certificates are whole and can be read', async () => {
  const open = async (settings: object): Promise<unknown> =>
    await openStore({ ...none, url: 'etcd://127.0.0.1:1', ...settings }, '', signal);
  await assert.rejects(open({ keyPath: '/k' }), /store\.certificatePath and store\.keyPath belong together/);
  await assert.rejects(open({ caPath: '/no/such/file' }), /Cannot read store\.caPath "\/no\/such\/file": ENOENT/);
});
