import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { controllerWorld } from '#kit/controller-world.ts';
import type { Endpoints } from '#kube/types/gen/core-v1.ts';
import type { EndpointSlice } from '#kube/types/gen/discovery-v1.ts';

import { endpointSliceController } from './endpoint-slice.ts';
import { endpointsController } from './endpoints.ts';
import { endpointSliceMirroringController } from './mirror-endpoints.ts';

const slices = '/apis/discovery.k8s.io/v1/endpointslices';

describe('endpoints of a service', () => {
  test('are its ready pods, and follow them', async () => {
    await using world = started();
    world.api.put('/api/v1/namespaces/ns/services/web', service({ selector: { app: 'web' } }));
    world.api.put('/api/v1/namespaces/ns/pods/a', pod('a', '10.0.0.1', true));
    world.api.put('/api/v1/namespaces/ns/pods/b', pod('b', '10.0.0.2', false));
    world.api.put('/api/v1/namespaces/ns/pods/other', pod('other', '10.0.0.3', true, { app: 'other' }));
    await world.settle();
    const [slice] = await world.list<EndpointSlice>(slices);
    assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
    assert.deepEqual(conditionsOf(slice), [
      ['10.0.0.1', { ready: true, serving: true, terminating: false }],
      ['10.0.0.2', { ready: false, serving: false, terminating: false }],
    ]);
    assert.deepEqual(slice?.metadata.labels, {
      team: 'x',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    const [endpoints] = await world.list<Endpoints>('/api/v1/endpoints');
    assert.deepEqual(
      endpoints?.subsets?.map(({ addresses, notReadyAddresses, ports }) => [
        addresses?.map(({ ip }) => ip),
        notReadyAddresses?.map(({ ip }) => ip),
        ports,
      ]),
      [[['10.0.0.1'], ['10.0.0.2'], [{ name: 'http', port: 8080, protocol: 'TCP' }]]],
    );
    world.api.put('/api/v1/namespaces/ns/pods/a', {
      ...pod('a', '10.0.0.1', true),
      metadata: { ...pod('a', '', true).metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    world.api.remove('/api/v1/namespaces/ns/pods/b');
    await world.settle();
    const after = await world.list<EndpointSlice>(slices);
    assert.deepEqual(after.map(conditionsOf), [[['10.0.0.1', { ready: false, serving: true, terminating: true }]]]);
    assert.equal(after[0]?.metadata.name, slice?.metadata.name);
    assert.deepEqual((await world.list<Endpoints>('/api/v1/endpoints'))[0]?.subsets, []);
    assert.deepEqual(world.failures, []);
  });

  test('are at most a hundred in a slice', async () => {
    await using world = started();
    world.api.put('/api/v1/namespaces/ns/services/web', service({ selector: { app: 'web' } }));
    for (let index = 0; index < 130; index += 1) {
      const name = `p${String(index)}`;
      world.api.put(`/api/v1/namespaces/ns/pods/${name}`, pod(name, `10.0.1.${String(index)}`, true));
    }
    await world.settle();
    const counts = (await world.list<EndpointSlice>(slices)).map(({ endpoints = [] }) => endpoints.length);
    assert.deepEqual(
      counts.toSorted((one, other) => one - other),
      [30, 100],
    );
  });

  test('are told before they are ready where the service wants it, with hostnames', async () => {
    await using world = started();
    const spec = { selector: { app: 'web' }, clusterIP: 'None', publishNotReadyAddresses: true };
    world.api.put('/api/v1/namespaces/ns/services/web', service(spec));
    const one = pod('a', '10.0.0.1', false);
    world.api.put('/api/v1/namespaces/ns/pods/a', { ...one, spec: { ...one.spec, hostname: 'a', subdomain: 'web' } });
    await world.settle();
    const [slice] = await world.list<EndpointSlice>(slices);
    assert.deepEqual(
      slice?.endpoints?.map(({ hostname, conditions }) => [hostname, conditions?.ready]),
      [['a', true]],
    );
    assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '');
  });

  test('that somebody made by hand are shown in slices, until they go', async () => {
    await using world = started();
    world.api.put('/api/v1/namespaces/ns/services/web', service({}));
    const subsets = [{ addresses: [{ ip: '1.2.3.4' }, { ip: 'fd00::1' }], ports: [{ port: 443, protocol: 'TCP' }] }];
    const made = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web', namespace: 'ns' }, subsets };
    world.api.put('/api/v1/namespaces/ns/endpoints/web', made);
    await world.settle();
    const both = (await world.list<EndpointSlice>(slices)).toSorted((one, other) =>
      String(one.addressType) < String(other.addressType) ? -1 : 1,
    );
    assert.deepEqual(
      both.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses]),
      [
        ['IPv4', ['1.2.3.4']],
        ['IPv6', ['fd00::1']],
      ],
    );
    world.api.put('/api/v1/namespaces/ns/endpoints/web', {
      ...made,
      metadata: { ...made.metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    });
    await world.settle();
    assert.deepEqual(await world.list(slices), []);
    assert.deepEqual(world.failures, []);
  });

  test('that are ours go with the service', async () => {
    await using world = started();
    world.api.put('/api/v1/namespaces/ns/services/web', service({ selector: { app: 'web' } }));
    await world.settle();
    assert.equal((await world.list('/api/v1/endpoints')).length, 1);
    world.api.remove('/api/v1/namespaces/ns/services/web');
    await world.settle();
    assert.deepEqual(await world.list('/api/v1/endpoints'), []);
  });
});

function started() {
  return controllerWorld(endpointSliceController, endpointsController, endpointSliceMirroringController);
}

function service(spec: Record<string, unknown>) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'ns', labels: { team: 'x' } },
    spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web' }], ...spec },
  };
}

function pod(name: string, podIP: string, isReady: boolean, labels: Record<string, string> = { app: 'web' }) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', labels, uid: `uid-${name}` },
    spec: { nodeName: 'n', containers: [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }] },
    status: { phase: 'Running', podIP, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  };
}

function conditionsOf(slice: EndpointSlice | undefined) {
  return (slice?.endpoints ?? [])
    .map(({ addresses, conditions }) => [addresses?.[0] ?? '', conditions] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
}
