import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { kinds } from './kinds.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What every pod spec gets. */
const podSpec = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
};
const container = {
  imagePullPolicy: 'Always',
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};
const template = { metadata: {}, spec: podSpec };
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

function specOf(fields: Fields): Fields {
  return { spec: fields };
}

/** Kind (with version where there are several), what is written, what it becomes; metadata apart. */
const rows: readonly (readonly [string, Fields, Fields])[] = [
  ['Pod', {}, specOf({ ...podSpec, enableServiceLinks: true })],
  [
    'Pod',
    specOf({ containers: [{ name: 'a', image: 'nginx', ports: [{ containerPort: 80 }] }], hostNetwork: true }),
    specOf({
      ...podSpec,
      containers: [
        { name: 'a', image: 'nginx', ...container, ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] },
      ],
      hostNetwork: true,
      enableServiceLinks: true,
    }),
  ],
  [
    'Pod',
    specOf({
      serviceAccount: 'robot',
      containers: [
        {
          image: 'a:1',
          resources: { limits: { cpu: '1', memory: '100u' }, requests: { cpu: '500m' } },
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { grpc: { port: 1 }, periodSeconds: 3 },
          lifecycle: { preStop: { httpGet: { port: 1, path: '/x' } } },
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          ],
        },
      ],
    }),
    specOf({
      ...podSpec,
      serviceAccount: 'robot',
      serviceAccountName: 'robot',
      containers: [
        {
          ...container,
          image: 'a:1',
          imagePullPolicy: 'IfNotPresent',
          resources: { limits: { cpu: '1', memory: '1m' }, requests: { cpu: '500m', memory: '1m' } },
          livenessProbe: { ...probe, httpGet: { port: 80, path: '/', scheme: 'HTTP' } },
          readinessProbe: { ...probe, grpc: { port: 1, service: '' }, periodSeconds: 3 },
          lifecycle: { preStop: { httpGet: { port: 1, path: '/x', scheme: 'HTTP' } } },
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
          ],
        },
      ],
      enableServiceLinks: true,
    }),
  ],
  [
    'PodTemplate',
    {
      template: {
        spec: {
          volumes: [
            { name: 'a' },
            { name: 'b', secret: { secretName: 's' } },
            { name: 'c', configMap: { name: 'c', defaultMode: 256 } },
            {
              name: 'd',
              projected: {
                sources: [{ serviceAccountToken: { path: 't' } }, { downwardAPI: { items: [{ fieldRef: {} }] } }],
              },
            },
            { name: 'e', hostPath: { path: '/' } },
            { name: 'f', ephemeral: { volumeClaimTemplate: { spec: {} } } },
            { name: 'g', image: { reference: 'a@sha256:0' } },
          ],
        },
      },
    },
    {
      template: {
        metadata: {},
        spec: {
          ...podSpec,
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
            { name: 'c', configMap: { name: 'c', defaultMode: 256 } },
            {
              name: 'd',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
                  { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1' } }] } },
                ],
                defaultMode: 420,
              },
            },
            { name: 'e', hostPath: { path: '/', type: '' } },
            {
              name: 'f',
              ephemeral: { volumeClaimTemplate: { metadata: {}, spec: { volumeMode: 'Filesystem', resources: {} } } },
            },
            { name: 'g', image: { reference: 'a@sha256:0', pullPolicy: 'IfNotPresent' } },
          ],
        },
      },
    },
  ],
  [
    'Service',
    specOf({ ports: [{ port: 80 }, { port: 53, protocol: 'UDP', targetPort: 'dns' }] }),
    specOf({
      ports: [
        { port: 80, protocol: 'TCP', targetPort: 80 },
        { port: 53, protocol: 'UDP', targetPort: 'dns' },
      ],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    }),
  ],
  [
    'Service',
    specOf({ type: 'LoadBalancer', sessionAffinity: 'ClientIP' }),
    specOf({
      type: 'LoadBalancer',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    }),
  ],
  [
    'Service',
    specOf({ type: 'ExternalName', externalName: 'a.b' }),
    specOf({ type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' }),
  ],
  [
    'Secret',
    { stringData: { b: 'é' }, data: { a: 'eA==', b: 'eQ==' } },
    { type: 'Opaque', data: { a: 'eA==', b: 'w6k=' } },
  ],
  ['Endpoints', { subsets: [{ ports: [{ port: 1 }] }] }, { subsets: [{ ports: [{ port: 1, protocol: 'TCP' }] }] }],
  ['PersistentVolume', specOf({}), specOf({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })],
  ['PersistentVolumeClaim', specOf({}), specOf({ volumeMode: 'Filesystem', resources: {} })],
  [
    'LimitRange',
    specOf({
      limits: [
        { type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    }),
    specOf({
      limits: [
        {
          type: 'Container',
          max: { cpu: '2' },
          min: { memory: '1Mi' },
          default: { cpu: '2' },
          defaultRequest: { cpu: '2', memory: '1Mi' },
        },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    }),
  ],
  ['ResourceQuota', specOf({ hard: { cpu: '1n', pods: '1' } }), specOf({ hard: { cpu: '1m', pods: '1' } })],
  ['Node', { status: { capacity: { cpu: '1' } } }, { status: { capacity: { cpu: '1' }, allocatable: { cpu: '1' } } }],
  [
    'Deployment',
    {},
    specOf({
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template,
    }),
  ],
  [
    'Deployment',
    specOf({ replicas: 0, strategy: { type: 'Recreate' } }),
    specOf({
      replicas: 0,
      strategy: { type: 'Recreate' },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template,
    }),
  ],
  ['ReplicaSet', {}, specOf({ replicas: 1, template })],
  [
    'DaemonSet',
    {},
    specOf({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      template,
    }),
  ],
  [
    'StatefulSet',
    specOf({ volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
    specOf({
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      replicas: 1,
      revisionHistoryLimit: 10,
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { volumeMode: 'Filesystem', resources: {} },
          status: { phase: 'Pending' },
        },
      ],
      template,
    }),
  ],
  [
    'Job',
    {},
    specOf({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
      template,
    }),
  ],
  [
    'Job',
    specOf({
      parallelism: 2,
      backoffLimitPerIndex: 1,
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'X' }] }] },
    }),
    specOf({
      parallelism: 2,
      backoffLimitPerIndex: 1,
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'X', status: 'True' }] }] },
      backoffLimit: 2_147_483_647,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'Failed',
      manualSelector: false,
      template,
    }),
  ],
  [
    'CronJob',
    {},
    specOf({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: {}, spec: { template } },
    }),
  ],
  [
    'IngressClass',
    specOf({ parameters: { kind: 'K', name: 'n' } }),
    specOf({ parameters: { kind: 'K', name: 'n', scope: 'Cluster' } }),
  ],
  ['NetworkPolicy', {}, specOf({ podSelector: {}, policyTypes: ['Ingress'] })],
  [
    'NetworkPolicy',
    specOf({ egress: [{ ports: [{ port: 1 }] }] }),
    specOf({
      podSelector: {},
      egress: [{ ports: [{ port: 1, protocol: 'TCP' }] }],
      policyTypes: ['Ingress', 'Egress'],
    }),
  ],
  ['EndpointSlice', { ports: [{ port: 1 }] }, { ports: [{ port: 1, name: '', protocol: 'TCP' }] }],
  [
    'HorizontalPodAutoscaler.v2',
    specOf({ maxReplicas: 3, behavior: { scaleUp: {}, scaleDown: { selectPolicy: 'Min' } } }),
    specOf({
      maxReplicas: 3,
      minReplicas: 1,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Pods', value: 4, periodSeconds: 15 },
            { type: 'Percent', value: 100, periodSeconds: 15 },
          ],
        },
        scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
      },
    }),
  ],
  ['HorizontalPodAutoscaler.v1', specOf({ maxReplicas: 3 }), specOf({ maxReplicas: 3, minReplicas: 1 })],
  [
    'RoleBinding',
    {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
    {
      roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [
        { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
  ],
  ['StorageClass', { provisioner: 'p' }, { provisioner: 'p', reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }],
  [
    'CSIDriver',
    specOf({ attachRequired: false }),
    specOf({
      attachRequired: false,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    }),
  ],
  ['PriorityClass', { value: 1 }, { value: 1, preemptionPolicy: 'PreemptLowerPriority' }],
  [
    'CustomResourceDefinition',
    specOf({ names: { plural: 'foos', kind: 'Foo' } }),
    specOf({
      names: { plural: 'foos', kind: 'Foo', singular: 'foo', listKind: 'FooList' },
      conversion: { strategy: 'None' },
    }),
  ],
  ['APIService', specOf({ service: { name: 's' } }), specOf({ service: { name: 's', port: 443 } })],
  [
    'MutatingWebhookConfiguration',
    { webhooks: [{ name: 'w', clientConfig: { service: { name: 's' } }, rules: [{}] }] },
    {
      webhooks: [
        {
          name: 'w',
          clientConfig: { service: { name: 's', port: 443 } },
          rules: [{ scope: '*' }],
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
          reinvocationPolicy: 'Never',
        },
      ],
    },
  ],
  [
    'ValidatingAdmissionPolicy',
    specOf({ matchConstraints: { resourceRules: [{}] } }),
    specOf({
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ scope: '*' }],
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
      },
    }),
  ],
  ['FlowSchema', specOf({}), specOf({ matchingPrecedence: 1000 })],
  [
    'PriorityLevelConfiguration',
    specOf({ limited: { limitResponse: { queuing: {} } } }),
    specOf({
      limited: {
        nominalConcurrencyShares: 30,
        lendablePercent: 0,
        limitResponse: { queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
      },
    }),
  ],
];

function kindOf(name: string) {
  const [kind, version] = name.split('.');
  const found = kinds.find((one) => one.kind === kind && (version === undefined || one.version === version));
  assert.ok(found !== undefined, name);
  return found;
}

describe('defaults', () => {
  for (const [index, [name, written, expected]] of rows.entries()) {
    test(`${name} ${String(index)}`, () => {
      const object = { apiVersion: 'x', kind: name, metadata: {}, ...structuredClone(written) };
      kindOf(name).setDefaults?.(object);
      assert.deepEqual(object, { apiVersion: 'x', kind: name, metadata: {}, ...expected });
    });
  }

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
      metadata: { uid: 'u', name: 'j', generation: 1 },
      spec: {
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
        template: {
          metadata: {
            labels: {
              a: 'b',
              'controller-uid': 'u',
              'batch.kubernetes.io/controller-uid': 'u',
              'job-name': 'j',
              'batch.kubernetes.io/job-name': 'j',
            },
          },
        },
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
