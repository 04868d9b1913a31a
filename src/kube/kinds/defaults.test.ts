import { testDefaults, type DefaultRow } from '#kit/kube/default-rows.ts';
import { specOf } from '#kit/kube/fault-rows.ts';

const rows: readonly DefaultRow[] = [
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

testDefaults('defaults of other groups', rows);
