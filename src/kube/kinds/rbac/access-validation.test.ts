import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const rest: readonly FaultRow[] = [
  {
    kind: 'PodDisruptionBudget',
    is: 'of both kinds',
    object: specOf({ minAvailable: 1, maxUnavailable: '150%' }),
    faults: [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":"150%"}: minAvailable and maxUnavailable cannot be both set',
      'spec.maxUnavailable: Invalid value: "150%": must not be greater than 100%',
    ],
  },
  {
    kind: 'HorizontalPodAutoscaler.v2',
    is: 'wrong in all',
    object: specOf({
      minReplicas: 5,
      maxReplicas: 2,
      scaleTargetRef: { kind: 'a/b' },
      metrics: [{ type: 'Resource' }, { type: 'X' }, { type: 'Pods', pods: { target: { type: 'Value' } } }],
    }),
    faults: [
      'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
      'spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain \'/\'',
      'spec.scaleTargetRef.name: Required value',
      'spec.metrics[0].resource: Required value: must populate information for the given metric source',
      'spec.metrics[1].type: Unsupported value: "X": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[2].pods.metric.name: Required value: must specify a metric name',
      'spec.metrics[2].pods.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
    ],
  },
  {
    kind: 'HorizontalPodAutoscaler.v1',
    is: 'empty',
    object: specOf({ scaleTargetRef: { kind: 'A', name: 'b' } }),
    faults: [
      'spec.maxReplicas: Invalid value: 0: must be greater than 0',
      'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
    ],
  },
  {
    kind: 'Role',
    is: 'about nothing',
    object: { rules: [{}, { verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] }] },
    faults: [
      'rules[0].verbs: Required value: verbs must contain at least one value',
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
      'rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
      'rules[1].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
  },
  {
    kind: 'ClusterRole',
    is: 'of nothing else',
    object: { metadata: { name: 'system:x' }, aggregationRule: {} },
    faults: [
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  },
  {
    kind: 'RoleBinding',
    is: 'to whom there is not',
    object: {
      roleRef: { kind: 'Chief' },
      subjects: [{ kind: 'Dog', name: 'd' }, { kind: 'ServiceAccount', name: 's' }, { kind: 'User' }],
    },
    faults: [
      'roleRef.kind: Unsupported value: "Chief": supported values: "Role", "ClusterRole"',
      'roleRef.name: Required value',
      'subjects[0].kind: Unsupported value: "Dog": supported values: "ServiceAccount", "User", "Group"',
      'subjects[1].namespace: Required value',
      'subjects[2].name: Required value',
    ],
  },
  {
    kind: 'ClusterRoleBinding',
    is: 'of another role',
    object: { roleRef: { kind: 'ClusterRole', name: 'b' } },
    old: { roleRef: { kind: 'ClusterRole', name: 'a' } },
    faults: [
      'roleRef: Invalid value: {"kind":"ClusterRole","name":"b","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ],
  },
  {
    kind: 'StorageClass',
    is: 'changed',
    object: { provisioner: 'b', reclaimPolicy: 'Retain', parameters: { a: '1' } },
    old: { provisioner: 'a' },
    faults: [
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Invalid value: "Retain": field is immutable',
    ],
  },
  {
    kind: 'StorageClass',
    is: 'wrong in words',
    object: { reclaimPolicy: 'Sell', volumeBindingMode: 'Later' },
    faults: [
      'provisioner: Required value',
      'reclaimPolicy: Unsupported value: "Sell": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
  },
  {
    kind: 'PriorityClass',
    is: 'too high',
    object: { value: 1_000_000_001 },
    faults: ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  },
  {
    kind: 'PriorityClass',
    is: "the system's",
    object: { metadata: { name: 'system-x' } },
    faults: [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class",
    ],
  },
  {
    kind: 'PriorityClass',
    is: 'changed',
    object: { value: 2 },
    old: { value: 1 },
    faults: ['value: Forbidden: may not be changed in an update.'],
  },
  {
    kind: 'Lease',
    is: 'of no length',
    object: specOf({ leaseDurationSeconds: 0, leaseTransitions: -1 }),
    faults: [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  },
  {
    kind: 'RuntimeClass',
    is: 'changed',
    object: { handler: 'b' },
    old: { handler: 'a' },
    faults: ['handler: Invalid value: "b": field is immutable'],
  },
  {
    kind: 'Event.v1.events.k8s.io',
    is: 'empty',
    object: {
      regarding: { namespace: 'default' },
      reportingController: '-',
      note: 'x'.repeat(1025),
      action: 'y'.repeat(129),
    },
    faults: [
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: ',
      "reportingController: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'reportingInstance: Required value',
      'action: Invalid value: "": can have at most 128 characters',
      'reason: Required value',
      'message: Invalid value: "": can have at most 1024 characters',
    ],
  },
  {
    kind: 'CertificateSigningRequest',
    is: 'empty',
    object: {},
    faults: [
      'spec.request: Invalid value: "": PEM block type must be CERTIFICATE REQUEST',
      'spec.usages: Required value',
      'spec.signerName: Required value',
    ],
  },
];

testFaults('access, scaling, classes', rest);
