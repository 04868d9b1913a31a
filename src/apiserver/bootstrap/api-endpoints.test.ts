import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createLogger } from '#base/logger.ts';
import { eventually } from '#kit/eventually.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import { openMemoryStore } from '#store/memory/open-memory-store.ts';

import { keepApiEndpoints, type ApiAddress, type EndpointOptions } from './api-endpoints.ts';

const { signal } = new AbortController();
const logger = createLogger({ level: 'error', format: 'json', write: (line) => assert.fail(line) });

interface Cluster extends Pick<EndpointOptions, 'objects' | 'store'> {
  /** Addresses of the Endpoints and of the slice. */
  readonly shown: () => Promise<readonly (readonly string[])[]>;
  readonly join: (ip: string, parts?: Partial<EndpointOptions> & Partial<ApiAddress>) => Promise<AsyncDisposable>;
}

function cluster(): Cluster {
  const [objects, store] = [new MemoryObjects(), openMemoryStore()];
  const get = async (group: string, resource: string) =>
    (await objects.get({ group, resource }, 'default', 'kubernetes')) as Record<string, unknown> | undefined;
  return {
    objects,
    store,
    shown: async () => {
      const { subsets } = (await get('', 'endpoints')) as { subsets: { addresses: { ip: string }[] }[] };
      const slice = (await get('discovery.k8s.io', 'endpointslices')) as { endpoints: { addresses: string[] }[] };
      return [(subsets[0]?.addresses ?? []).map(({ ip }) => ip), slice.endpoints.flatMap(({ addresses }) => addresses)];
    },
    join: async (ip, { port = 6443, ...parts } = {}) =>
      await keepApiEndpoints(
        { objects, store, logger, isExclusive: false, address: { ip, port }, periodMs: 5, ...parts },
        signal,
      ),
  };
}

describe('endpoints of the API', () => {
  test('are the address of the one server', async () => {
    const { join, shown, store, objects } = cluster();
    await using _ = await join('10.0.0.1', { isExclusive: true });
    assert.deepEqual(await shown(), [['10.0.0.1'], ['10.0.0.1']]);
    assert.deepEqual((await store.list('/', {}, signal)).entries, [], 'nobody needs a lease');
    const slice = await objects.get(
      { group: 'discovery.k8s.io', resource: 'endpointslices' },
      'default',
      'kubernetes',
      signal,
    );
    assert.deepEqual(
      [slice?.['addressType'], slice?.['ports'], slice?.metadata.labels],
      ['IPv4', [{ name: 'https', port: 6443, protocol: 'TCP' }], { 'kubernetes.io/service-name': 'kubernetes' }],
    );
  });

  test('are those of all servers on a store, until they leave', async () => {
    const { join, shown } = cluster();
    await using first = await join('10.0.0.2');
    const second = await join('10.0.0.1');
    assert.deepEqual(await shown(), [
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '10.0.0.2'],
    ]);
    await second[Symbol.asyncDispose]();
    assert.deepEqual(await shown(), [['10.0.0.2'], ['10.0.0.2']]);
    await first[Symbol.asyncDispose]();
    assert.deepEqual(await shown(), [['10.0.0.2'], ['10.0.0.2']], 'the last one stays');
  });

  test('lose who was killed, and come back when somebody changes them', async () => {
    const { join, shown, store, objects } = cluster();
    await using _ = await join('10.0.0.1');
    const dead = Buffer.from(JSON.stringify({ ip: '10.0.0.9', port: 6443 }));
    await store.put('/registry/masterleases/10.0.0.9', dead, 0n, { ttlSeconds: 1 }, signal);
    await eventually('the other one is seen', async () => (await shown())[0]?.length === 2);
    await eventually('its lease has ended', async () => (await shown())[0]?.length === 1);
    const now = await objects.get({ group: '', resource: 'endpoints' }, 'default', 'kubernetes', signal);
    await objects.update({ group: '', resource: 'endpoints' }, { ...now, subsets: [] } as never, signal);
    await eventually('it is put right', async () => (await shown())[0]?.join() === '10.0.0.1');
  });

  test('have one port, so that servers with another do not fight about it', async () => {
    const { join, shown } = cluster();
    await using _ = await join('10.0.0.1');
    await using __ = await join('10.0.0.2', { port: 7443 });
    assert.deepEqual(await shown(), [['10.0.0.1'], ['10.0.0.1']]);
  });

  test('are of one family in a slice', async () => {
    const { join, shown, objects } = cluster();
    await using _ = await join('fd00::1', { isExclusive: true });
    assert.deepEqual(await shown(), [['fd00::1'], ['fd00::1']]);
    const slice = await objects.get(
      { group: 'discovery.k8s.io', resource: 'endpointslices' },
      'default',
      'kubernetes',
      signal,
    );
    assert.equal(slice?.['addressType'], 'IPv6');
  });
});
