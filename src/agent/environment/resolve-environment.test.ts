import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Container, EnvVar, Pod, Service } from '#kube/types/gen/core-v1.ts';

import { expand } from './expand.ts';
import type { PodFacts, PodSources } from './pod-sources.ts';
import { expandWords, resolveEnvironment } from './resolve-environment.ts';

const never = new AbortController().signal;
const service = (namespace: string, name: string, clusterIP: string, ports: object[]): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name },
  spec: { clusterIP, ports },
});
const services = [
  service('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443, protocol: 'TCP' }]),
  service('shop', 'data-base', '10.96.0.7', [{ port: 5432 }]),
  service('shop', 'headless', 'None', [{ port: 80 }]),
  service('other', 'foreign', '10.96.0.8', [{ port: 80 }]),
];
const sources: PodSources = {
  configMap: async (_, name) =>
    name === 'settings'
      ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { color: 'blue', size: 'big' } }
      : undefined,
  secret: async (_, name) =>
    name === 'keys'
      ? { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { pass: Buffer.from('s3cret').toString('base64') } }
      : undefined,
  services: async () => services,
  token: async () => ({ token: '', expiresAtMs: 0 }),
};
const facts: PodFacts = {
  nodeName: 'one',
  hostIPs: ['192.0.2.1', '2001:db8::1'],
  podIPs: ['10.244.0.9'],
  allocatable: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '10Gi' },
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'shop',
    name: 'web',
    uid: 'u-1',
    labels: { b: 'two "2"', a: '1' },
    annotations: { 'x/y': 'z' },
  },
  spec: {
    serviceAccountName: 'seller',
    nodeName: 'one',
    enableServiceLinks: false,
    containers: [{ name: 'other', resources: { limits: { memory: '64Mi' } } }],
  },
};

async function resolved(env: EnvVar[], more: Partial<Container> = {}, of = pod): Promise<Record<string, string>> {
  const variables = await resolveEnvironment(of, { name: 'main', env, ...more }, facts, sources, never);
  return Object.fromEntries(variables);
}

test('$(NAME) becomes what is known, $$ a dollar sign, and all else stays', () => {
  const of = (text: string): string => expand(text, (name) => ({ A: 'one', EMPTY: '' })[name]);
  for (const [text, wanted] of [
    ['$(A)-$(A)', 'one-one'],
    ['$(EMPTY)!', '!'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$A $', '$A $'],
    ['$(A', '$(A'],
    ['$()', '$()'],
  ])
    assert.equal(of(text ?? ''), wanted);
});

test('values refer to those before them; what the API server is called is always there', async () => {
  const seen = await resolved([
    { name: 'FIRST', value: 'a' },
    { name: 'SECOND', value: '$(FIRST)$(THIRD)$(KUBERNETES_SERVICE_PORT)' },
    { name: 'THIRD', value: 'late' },
  ]);
  assert.deepEqual(seen, {
    FIRST: 'a',
    SECOND: 'a$(THIRD)443',
    THIRD: 'late',
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
  });
  assert.deepEqual(expandWords(['echo', '$(SECOND)'], new Map([['SECOND', 'x']])), ['echo', 'x']);
});

test('services of its own namespace are linked when the pod wants that', async () => {
  const seen = await resolved(
    [{ name: 'DATA_BASE_PORT', value: 'mine' }],
    {},
    { ...pod, spec: { ...pod.spec, enableServiceLinks: true } },
  );
  assert.equal(seen['DATA_BASE_SERVICE_HOST'], '10.96.0.7');
  assert.equal(seen['DATA_BASE_PORT'], 'mine');
  assert.equal(seen['DATA_BASE_PORT_5432_TCP_ADDR'], '10.96.0.7');
  assert.ok(!Object.keys(seen).some((name) => /^(FOREIGN|HEADLESS)/.test(name)));
});

test('ConfigMaps and Secrets give single keys and whole sets', async () => {
  const seen = await resolved(
    [
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
      { name: 'PASS', valueFrom: { secretKeyRef: { name: 'keys', key: 'pass' } } },
      { name: 'GONE', valueFrom: { secretKeyRef: { name: 'nothing', key: 'pass', optional: true } } },
      { name: 'p_size', value: 'small' },
    ],
    {
      envFrom: [
        { prefix: 'p_', configMapRef: { name: 'settings' } },
        { secretRef: { name: 'keys' } },
        { configMapRef: { name: 'nothing', optional: true } },
      ],
    },
  );
  assert.deepEqual(
    [seen['COLOR'], seen['PASS'], seen['GONE'], seen['p_color'], seen['p_size'], seen['pass']],
    ['blue', 's3cret', undefined, 'blue', 'small', 's3cret'],
  );
});

test('what is missing is named in the words of upstream', async () => {
  for (const [valueFrom, message] of [
    [{ secretKeyRef: { name: 'x', key: 'k' } }, 'secret "x" not found'],
    [{ configMapKeyRef: { name: 'x', key: 'k' } }, 'configmap "x" not found'],
    [{ configMapKeyRef: { name: 'settings', key: 'k' } }, "couldn't find key k in ConfigMap shop/settings"],
    [{ secretKeyRef: { name: 'keys', key: 'k' } }, "couldn't find key k in Secret shop/keys"],
    [{ fieldRef: { fieldPath: 'spec.color' } }, 'unsupported fieldPath: spec.color'],
    [{ resourceFieldRef: { resource: 'limits.color' } }, 'unsupported container resource : limits.color'],
  ] as const)
    await assert.rejects(resolved([{ name: 'A', valueFrom }]), { message });
  await assert.rejects(resolved([], { envFrom: [{ secretRef: { name: 'x' } }] }), { message: 'secret "x" not found' });
});

test('fields of the pod and resources of its containers', async () => {
  const fields = {
    'metadata.name': 'web',
    'metadata.namespace': 'shop',
    'metadata.uid': 'u-1',
    "metadata.labels['a']": '1',
    "metadata.labels['c']": '',
    "metadata.annotations['x/y']": 'z',
    'metadata.labels': 'a="1"\nb="two \\"2\\""',
    'spec.nodeName': 'one',
    'spec.serviceAccountName': 'seller',
    'status.hostIP': '192.0.2.1',
    'status.hostIPs': '192.0.2.1,2001:db8::1',
    'status.podIP': '10.244.0.9',
    'status.podIPs': '10.244.0.9',
  };
  const seen = await resolved(
    Object.keys(fields).map((fieldPath) => ({ name: fieldPath, valueFrom: { fieldRef: { fieldPath } } })),
  );
  for (const [path, value] of Object.entries(fields)) assert.equal(seen[path], value, path);
  const resources = { limits: { cpu: '1250m' }, requests: { cpu: '250m', memory: '32Mi' } };
  for (const [selector, wanted] of [
    [{ resource: 'limits.cpu' }, '2'],
    [{ resource: 'limits.cpu', divisor: '1m' }, '1250'],
    [{ resource: 'requests.cpu', divisor: '0' }, '1'],
    [{ resource: 'requests.memory', divisor: '1Mi' }, '32'],
    [{ resource: 'limits.memory', divisor: '1Gi' }, '8'],
    [{ resource: 'limits.ephemeral-storage' }, String(10 * 2 ** 30)],
    [{ resource: 'requests.ephemeral-storage' }, '0'],
    [{ resource: 'limits.memory', containerName: 'other', divisor: '1Mi' }, '64'],
  ] as const) {
    const got = await resolved([{ name: 'R', valueFrom: { resourceFieldRef: selector } }], { resources });
    assert.equal(got['R'], wanted, JSON.stringify(selector));
  }
});
