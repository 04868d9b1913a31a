import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const services = '/api/v1/namespaces/default/services';
const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

describe('services', () => {
  test('get an address of their own, which stays', async (t) => {
    const api = await openMemoryApi(t);
    const a = await api.must(api.post(services, service('a', {})));
    const b = await api.must(api.post(services, service('b', {})));
    assert.match(a.spec.clusterIP, /^10\.96\.\d+\.\d+$/);
    assert.deepEqual(a.spec.clusterIPs, [a.spec.clusterIP]);
    assert.deepEqual([a.spec.ipFamilies, a.spec.ipFamilyPolicy], [['IPv4'], 'SingleStack']);
    assert.notEqual(a.spec.clusterIP, b.spec.clusterIP);
    const put = await api.must(api.put(`${services}/a`, service('a', { ports: [{ port: 81 }] })));
    assert.equal(put.spec.clusterIP, a.spec.clusterIP);
  });

  test('get the address that they ask for when it is free', async (t) => {
    const api = await openMemoryApi(t);
    const a = await api.must(api.post(services, service('a', { clusterIP: '10.96.3.4' })));
    assert.equal(a.spec.clusterIP, '10.96.3.4');
    for (const [clusterIP, why] of [
      ['10.96.3.4', /failed to allocate IP 10\.96\.3\.4: provided IP is already allocated/],
      ['10.96.0.1', /provided IP is already allocated/],
      ['10.1.2.3', /not in the valid range/],
    ] as const) {
      const refused = await api.post(services, service('b', { clusterIP }));
      assert.equal(refused.status, 422);
      assert.match(refused.body.message, why);
    }
    await api.must(api.delete(`${services}/a`));
  });

  test('without addresses have none', async (t) => {
    const api = await openMemoryApi(t);
    const headless = await api.must(api.post(services, service('a', { clusterIP: 'None' })));
    assert.deepEqual(headless.spec.clusterIPs, ['None']);
    const external = await api.must(
      api.post(services, service('b', { type: 'ExternalName', externalName: 'example.com', ports: [] })),
    );
    assert.equal(external.spec.clusterIP, undefined);
  });

  test('of nodes get ports, which go with the type', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.must(api.post(services, service('a', { type: 'NodePort' })));
    const { nodePort } = made.spec.ports[0];
    assert.ok(nodePort >= 30_000 && nodePort <= 32_767);
    const same = await api.must(api.put(`${services}/a`, service('a', { type: 'NodePort' })));
    assert.equal(same.spec.ports[0].nodePort, nodePort);
    const taken = await api.post(services, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort }] }));
    assert.match(
      taken.body.message,
      /spec\.ports\[0\]\.nodePort: Invalid value: \d+: provided port is already allocated/,
    );
    const wrong = await api.post(services, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }));
    assert.match(wrong.body.message, /not in the valid range. The range of valid ports is 30000-32767/);
    const inside = await api.must(api.put(`${services}/a`, service('a', { type: 'ClusterIP' })));
    assert.equal(inside.spec.ports[0].nodePort, undefined);
  });

  test('created at the same time never share an address', async (t) => {
    const api = await openMemoryApi(t);
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, index) => api.must(api.post(services, service(`s${String(index)}`, {})))),
    );
    assert.equal(new Set(made.map((one) => one.spec.clusterIP as string)).size, 50);
  });
});
