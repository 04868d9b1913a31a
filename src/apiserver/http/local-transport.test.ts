import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from '#kube/client/create-client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

import { LocalTransport } from './local-transport.ts';

const user = { name: 'system:node:one', uid: '', groups: ['system:nodes'], extra: {} };
const typed = { apiVersion: 'v1', kind: 'ConfigMap' };
const key: { namespace: string; name: string; uid?: string } = { namespace: 'default', name: 'a' };

test('a client in the process reads, writes and watches as its user', async (t) => {
  const seen: string[] = [];
  const api = await openMemoryApi(t, {
    auth: {
      identify: async () => await Promise.reject(new Error('nobody has to prove who he is')),
      authorizer: {
        authorize: (attributes) => {
          seen.push(attributes.user.name);
          return {
            verdict: attributes.type === 'resource' && attributes.resource === 'secrets' ? 'no-opinion' : 'allow',
            reason: '',
          };
        },
      },
    },
  });
  const client = createClient(new LocalTransport((exchange) => api.api.serve(exchange), user));
  const stop = new AbortController();
  t.after(() => stop.abort());
  const names: string[] = [];
  const watching = (async () => {
    for await (const { object } of client.watch(configMap, { namespace: 'default' }, stop.signal)) {
      names.push(object.metadata.name ?? '');
      if (names.length === 2) break;
    }
  })();
  const made = await client.create(configMap, { ...typed, metadata: key, data: { a: '1' } }, {}, stop.signal);
  assert.deepEqual((await client.get(configMap, key, stop.signal)).metadata.uid, made.metadata.uid);
  await assert.rejects(client.create(configMap, { ...typed, metadata: key }, {}, stop.signal), { reason: 'Conflict' });
  await client.create(configMap, { ...typed, metadata: { ...key, name: 'b' } }, {}, stop.signal);
  await watching;
  assert.deepEqual(names, ['a', 'b']);
  assert.deepEqual([...new Set(seen)], ['system:node:one']);
  const gone = new AbortController();
  const endless = client.watch(configMap, {}, gone.signal);
  const next = endless[Symbol.asyncIterator]().next();
  gone.abort(new Error('left'));
  await assert.rejects(async () => await next);
  assert.deepEqual(api.defects, []);
});
