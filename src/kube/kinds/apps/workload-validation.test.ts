import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };
const selector = { matchLabels: { app: 'x' } };
const workload = { selector, template };
const mismatch = 'Invalid value: {"app":"x"}: `selector` does not match template `labels`';

const workloads: readonly FaultRow[] = [
  { kind: 'Deployment', is: 'fine', object: specOf(workload), faults: [] },
  {
    kind: 'Deployment',
    is: 'empty',
    object: {},
    faults: ['spec.selector: Required value', 'spec.template.spec.containers: Required value'],
  },
  {
    kind: 'Deployment',
    is: 'of pods that it does not select',
    object: specOf({ ...workload, selector: { matchLabels: { app: 'y' } } }),
    faults: [`spec.template.metadata.labels: ${mismatch}`],
  },
  {
    kind: 'Deployment',
    is: 'without conditions for pods',
    object: specOf({ ...workload, selector: {} }),
    faults: ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
  },
  {
    kind: 'Deployment',
    is: 'wrong in numbers and words',
    object: specOf({
      ...workload,
      replicas: -1,
      progressDeadlineSeconds: 5,
      minReadySeconds: 5,
      revisionHistoryLimit: -2,
      strategy: { type: 'Recreate', rollingUpdate: {} },
      template: { ...template, spec: { ...template.spec, restartPolicy: 'Never', activeDeadlineSeconds: 5 } },
    }),
    faults: [
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      'spec.revisionHistoryLimit: Invalid value: -2: must be greater than or equal to 0',
      'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
    ],
  },
  {
    kind: 'Deployment',
    is: 'rolled out in a way that is none',
    object: specOf({ ...workload, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '0%' } } }),
    faults: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
  },
  {
    kind: 'Deployment',
    is: 'rolled out by shares that are none',
    object: specOf({ ...workload, strategy: { rollingUpdate: { maxUnavailable: '101%', maxSurge: 'x' } } }),
    faults: [
      'spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending \'%\'',
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
  },
  {
    kind: 'Deployment',
    is: 'given another selector',
    object: specOf({
      ...workload,
      selector: { matchLabels: { app: 'x', more: 'y' } },
      template: { ...template, metadata: { labels: { app: 'x', more: 'y' } } },
    }),
    old: specOf(workload),
    faults: ['spec.selector: Invalid value: {"matchLabels":{"app":"x","more":"y"}}: field is immutable'],
  },
  {
    kind: 'ReplicaSet',
    is: 'of pods that it does not select',
    object: specOf({ ...workload, selector: { matchLabels: { app: 'y' } }, minReadySeconds: -1 }),
    faults: [
      'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      `spec.template.metadata.labels: ${mismatch}`,
    ],
  },
  {
    kind: 'DaemonSet',
    is: 'rolled out in two ways',
    object: specOf({ ...workload, updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } }),
    faults: [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
  },
  {
    kind: 'DaemonSet',
    is: 'not rolled out at all',
    object: specOf({ ...workload, updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }),
    faults: ['spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  },
  {
    kind: 'StatefulSet',
    is: 'wrong in words',
    object: specOf({
      ...workload,
      podManagementPolicy: 'Now',
      updateStrategy: { type: 'Never' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Sell' },
    }),
    faults: [
      `spec.podManagementPolicy: Invalid value: "Now": must be 'OrderedReady' or 'Parallel'`,
      `spec.updateStrategy: Invalid value: {"type":"Never"}: must be 'RollingUpdate' or 'OnDelete'`,
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Sell": supported values: "Delete", "Retain"',
    ],
  },
  {
    kind: 'StatefulSet',
    is: 'given another service',
    object: specOf({ ...workload, serviceName: 'b', replicas: 2 }),
    old: specOf({ ...workload, serviceName: 'a' }),
    faults: [
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ],
  },
  {
    kind: 'StatefulSet',
    is: 'scaled',
    object: specOf({ ...workload, replicas: 5 }),
    old: specOf(workload),
    faults: [],
  },
  {
    kind: 'ReplicationController',
    is: 'without pods',
    object: specOf({ replicas: -1 }),
    faults: [
      'spec.selector: Required value',
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
      'spec.template: Required value',
    ],
  },
  {
    kind: 'ControllerRevision',
    is: 'without data',
    object: { revision: -1 },
    faults: [
      'data: Required value: data is mandatory',
      'revision: Invalid value: -1: must be greater than or equal to 0',
    ],
  },
];

testFaults('workloads', workloads);
