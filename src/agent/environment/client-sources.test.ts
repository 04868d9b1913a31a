import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from '#kube/client/create-client.ts';
import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { ClientSources } from './client-sources.ts';

const never = new AbortController().signal;
const settings = '/api/v1/namespaces/shop/configmaps/settings';

test('what was asked for once is watched: later answers and changes need no request', async () => {
  const api = new MemoryApi();
  const clock = new FakeClock();
  await using sources = new ClientSources(createClient(api), { clock });
  const told: string[] = [];
  using _ = sources.onChange((kind, { namespace, name }) => told.push(`${kind} ${namespace}/${name}`));
  assert.equal(await sources.configMap('shop', 'settings', never), undefined);
  const before = api.requests.length;
  assert.ok(api.requests.some((line) => line.includes('fieldSelector=metadata.name%3Dsettings')));
  api.put(settings, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'shop', name: 'settings' },
    data: { a: '1' },
  });
  await settle();
  assert.deepEqual((await sources.configMap('shop', 'settings', never))?.data, { a: '1' });
  assert.deepEqual(told, ['ConfigMap shop/settings']);
  assert.equal(api.requests.length, before);
  const watchers = api.watchers;
  await clock.advance(310_000);
  await sources.forgetUnused();
  assert.equal(api.watchers, watchers - 1);
});

test('services are read before anybody sees them; claims are read when they are asked for', async () => {
  const api = new MemoryApi();
  api.put('/api/v1/namespaces/shop/services/db', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'db' },
  });
  await using sources = new ClientSources(createClient(api), { clock: new FakeClock() });
  assert.deepEqual(
    (await sources.services(never)).map(({ metadata }) => metadata.name),
    ['db'],
  );
  assert.equal(await sources.claim('shop', 'data', never), undefined);
  assert.equal(await sources.persistentVolume('pv', never), undefined);
});

test('an API that does not answer is not waited for without end', async () => {
  const clock = new FakeClock();
  const silent = new ClientSources(createClient({ send: async () => Promise.reject(new Error('down')) }), { clock });
  await using _ = silent;
  const asked = silent.secret('shop', 'keys', never).catch((error: unknown) => error);
  await clock.advance(31_000);
  assert.match(String(await asked), /timed out waiting for shop\/keys/);
});
