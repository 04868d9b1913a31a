import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, kindNamed as kindOf } from '#kit/kube/faults-of.ts';

const jobLabels = {
  a: 'b',
  'controller-uid': 'u',
  'batch.kubernetes.io/controller-uid': 'u',
  'job-name': 'j',
  'batch.kubernetes.io/job-name': 'j',
};

/** Kind, what there was before, what is sent, what is stored. */
const strategies: readonly (readonly [string, Fields | undefined, Fields, Fields])[] = [
  [
    'Pod',
    undefined,
    { spec: {}, status: { phase: 'Running' } },
    { metadata: { generation: 1 }, spec: {}, status: { phase: 'Pending', qosClass: 'BestEffort' } },
  ],
  [
    'Pod',
    { metadata: { generation: 4 }, spec: { a: 1 }, status: { phase: 'Running' } },
    { spec: { a: 1 } },
    { metadata: { generation: 4 }, spec: { a: 1 }, status: { phase: 'Running' } },
  ],
  [
    'Deployment',
    undefined,
    { spec: {}, status: { replicas: 9 } },
    { metadata: { generation: 1 }, spec: {}, status: {} },
  ],
  [
    'Deployment',
    { metadata: { generation: 2 }, spec: { a: 1 }, status: { b: 1 } },
    { spec: { a: 2 }, status: { b: 2 } },
    { metadata: { generation: 3 }, spec: { a: 2 }, status: { b: 1 } },
  ],
  [
    'Deployment',
    { metadata: { generation: 2 }, spec: { a: 1 }, status: { b: 1 } },
    { metadata: { labels: {} }, spec: { a: 1 } },
    { metadata: { labels: {}, generation: 2 }, spec: { a: 1 }, status: { b: 1 } },
  ],
  ['PriorityClass', undefined, { value: 1 }, { metadata: { generation: 1 }, value: 1 }],
  [
    'CertificateSigningRequest',
    { spec: { username: 'u' }, status: {} },
    { spec: { username: 'v' } },
    { metadata: {}, spec: { username: 'u' }, status: {} },
  ],
  ['ConfigMap', undefined, { data: {} }, { metadata: {}, data: {} }],
  ['Node', undefined, { status: { capacity: {} } }, { metadata: {}, status: { capacity: {} } }],
  ['Node', { status: { a: 1 } }, { status: { a: 2 } }, { metadata: {}, status: { a: 1 } }],
  ['Namespace', undefined, {}, { metadata: {}, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }],
  [
    'Namespace',
    { spec: { finalizers: ['x'] }, status: { phase: 'Terminating' } },
    { spec: {} },
    { metadata: {}, spec: { finalizers: ['x'] }, status: { phase: 'Terminating' } },
  ],
  [
    'CustomResourceDefinition',
    undefined,
    { spec: { versions: [{ name: 'v1' }, { name: 'v2', storage: true }] } },
    {
      metadata: { generation: 1 },
      spec: { versions: [{ name: 'v1' }, { name: 'v2', storage: true }] },
      status: { acceptedNames: { kind: '', plural: '' }, conditions: [], storedVersions: ['v2'] },
    },
  ],
  [
    'Job',
    undefined,
    { metadata: { uid: 'u', name: 'j' }, spec: { template: { metadata: { labels: { a: 'b' } } } } },
    {
      metadata: { uid: 'u', name: 'j', generation: 1, labels: jobLabels },
      spec: {
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
        template: { metadata: { labels: jobLabels } },
      },
      status: {},
    },
  ],
  [
    'Job',
    undefined,
    { spec: { manualSelector: true } },
    { metadata: { generation: 1 }, spec: { manualSelector: true }, status: {} },
  ],
];

describe('what a create or update may not set', () => {
  for (const [index, [name, old, sent, expected]] of strategies.entries()) {
    test(`${name} ${String(index)}`, () => {
      const whole = (fields: Fields) => ({ apiVersion: 'x', kind: name, metadata: {}, ...structuredClone(fields) });
      const object = whole(sent);
      kindOf(name).prepare?.(object, old === undefined ? undefined : whole(old));
      assert.deepEqual(object, whole(expected));
    });
  }
});

describe('the class of service of a pod', () => {
  const both = { cpu: '1', memory: '1Gi' };
  const classes: Readonly<Record<string, readonly Fields[]>> = {
    BestEffort: [{}, { limits: { 'example.com/gpu': '1' } }, { requests: { cpu: '0' } }],
    Guaranteed: [{ limits: both, requests: both }, { limits: both }, { limits: both, requests: { cpu: '1000m' } }],
    Burstable: [{ requests: { cpu: '1' } }, { limits: { cpu: '1' } }, { limits: both, requests: { cpu: '500m' } }],
  };
  for (const [expected, list] of Object.entries(classes)) {
    for (const resources of list) {
      test(`${expected} for ${JSON.stringify(resources)}`, () => {
        const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ resources }] } };
        kindOf('Pod').prepare?.(pod, undefined);
        assert.deepEqual({ ...pod }['status' as 'spec'], { phase: 'Pending', qosClass: expected });
      });
    }
  }
});

describe('metadata that is filled', () => {
  test('labels of a template are those of a ReplicationController and its selector', () => {
    const rc = {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: {},
      spec: { template: { metadata: { labels: { a: 'b' } } } },
    };
    kindOf('ReplicationController').setDefaults?.(rc);
    assert.deepEqual(rc.metadata, { labels: { a: 'b' } });
    assert.deepEqual(Object.entries(rc.spec).slice(1), [
      ['replicas', 1],
      ['selector', { a: 'b' }],
    ]);
  });

  test('a namespace is labelled with its name', () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', labels: { a: 'b' } } };
    kindOf('Namespace').setDefaults?.(namespace);
    assert.deepEqual(namespace.metadata.labels, { a: 'b', 'kubernetes.io/metadata.name': 'n' });
  });
});
