import assert from 'node:assert/strict';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { createClient } from '#kube/client/create-client.ts';
import type { Lease } from '#kube/types/gen/coordination-v1.ts';
import type { Node } from '#kube/types/gen/core-v1.ts';
import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import type { NodeFacts } from './node-facts.ts';
import { runNode } from './run-node.ts';

const nodePath = '/api/v1/nodes/one';
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/one';
const facts: NodeFacts = {
  cpuCount: 2,
  memoryBytes: 2 * 1024 ** 3,
  diskBytes: 100 * 1024 ** 3,
  kernelVersion: '6.1.0',
  osImage: 'Debian GNU/Linux 12 (bookworm)',
  machineId: 'm',
  systemUuid: 'u',
  bootId: 'b',
  architecture: 'amd64',
};

test('a node is made, renews its lease each 10 s, and writes its status only when it changes or after 5 minutes', async (t) => {
  const api = new MemoryApi();
  const clock = new FakeClock();
  const images = [{ names: ['app:1'], sizeBytes: 10 }];
  const stop = new AbortController();
  const running = runNode(
    {
      client: createClient(api),
      clock,
      name: 'one',
      address: '10.0.0.1',
      podCidr: '10.244.0.0/24',
      facts,
      versions: { kubelet: 'v1.34.5', runtime: 'slipway://0.1.0' },
      images: () => images,
      logger: silentLogger,
    },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await running;
  });
  const written = (what: string): number => api.requests.filter((line) => line === what).length;
  const read = async <T>(path: string): Promise<T> => {
    const { body } = await api.send({ method: 'GET', path, isStream: false }, stop.signal);
    return JSON.parse(Buffer.concat(await Array.fromAsync(body)).toString()) as T;
  };
  await settle();
  const { metadata, spec, status } = await read<Node>(nodePath);
  assert.equal(metadata.labels?.['kubernetes.io/hostname'], 'one');
  assert.equal(spec?.podCIDR, '10.244.0.0/24');
  assert.deepEqual(
    status?.conditions?.map((one) => `${one.type ?? ''}=${one.status ?? ''}`),
    ['MemoryPressure=False', 'DiskPressure=False', 'PIDPressure=False', 'Ready=True'],
  );
  assert.deepEqual([status?.capacity?.['memory'], status?.allocatable?.['memory']], ['2097152Ki', '1994752Ki']);
  assert.equal((await read<Lease>(leasePath)).spec?.holderIdentity, 'one');
  const statusLine = `PATCH ${nodePath}/status`;
  assert.equal(written(statusLine), 1);
  for (let beat = 0; beat < 3; beat += 1) await clock.advance(10_000);
  assert.equal(written(`PUT ${leasePath}`), 3);
  assert.equal(written(statusLine), 1);
  images.push({ names: ['app:2'], sizeBytes: 20 });
  await clock.advance(10_000);
  assert.equal(written(statusLine), 2);
  assert.deepEqual((await read<Node>(nodePath)).status?.images?.[0]?.names, ['app:2']);
  for (let beat = 0; beat < 30; beat += 1) await clock.advance(10_000);
  assert.equal(written(statusLine), 3);

  await api.send({ method: 'DELETE', path: nodePath, isStream: false }, stop.signal);
  for (let beat = 0; beat < 32; beat += 1) await clock.advance(10_000);
  assert.equal((await read<Node>(nodePath)).status?.addresses?.[0]?.address, '10.0.0.1');
});
