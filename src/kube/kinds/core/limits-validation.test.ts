import { type FaultRow, specOf, subdomainRule, testFaults } from '#kit/kube/fault-rows.ts';

const data: readonly FaultRow[] = [
  {
    kind: 'PersistentVolumeClaim',
    is: 'empty',
    object: {},
    faults: [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    is: 'wrong in words',
    object: specOf({
      accessModes: ['ReadWriteOncePod', 'ReadWriteOnce', 'X'],
      resources: { requests: { storage: '0' } },
      volumeMode: 'Y',
      storageClassName: 'Z',
    }),
    faults: [
      'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
      'spec.resources[storage]: Invalid value: "0": must be greater than zero',
      `spec.storageClassName: Invalid value: "Z": ${subdomainRule}`,
      'spec.volumeMode: Unsupported value: "Y": supported values: "Block", "Filesystem"',
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    is: 'smaller and different',
    object: specOf({ accessModes: ['ReadOnlyMany'], resources: { requests: { storage: '1Gi' } } }),
    old: specOf({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } }),
    faults: [
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n-  accessModes[0]: "ReadWriteOnce"\n+  accessModes[0]: "ReadOnlyMany"\n-  resources.requests.storage: "2Gi"\n+  resources.requests.storage: "1Gi"',
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ],
  },
  {
    kind: 'PersistentVolume',
    is: 'empty',
    object: {},
    faults: [
      'spec.accessModes: Required value',
      'spec.capacity: Required value',
      'spec: Required value: must specify a volume type',
    ],
  },
  {
    kind: 'PersistentVolume',
    is: 'local, anywhere',
    object: specOf({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      local: { path: '/a/..' },
      hostPath: { path: '/' },
      persistentVolumeReclaimPolicy: 'Recycle',
    }),
    faults: [
      'spec.local: Forbidden: may not specify more than 1 volume type',
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      'spec.local.path: Invalid value: "/a/..": must not contain \'..\'',
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ],
  },
  {
    kind: 'ResourceQuota',
    is: 'wrong in all',
    object: specOf({
      hard: { gpu: '1', pods: '1500m', 'count/jobs.batch': '1' },
      scopes: ['BestEffort', 'NotBestEffort', 'X'],
    }),
    faults: [
      'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
      'spec.hard[gpu]: Invalid value: "gpu": must be a standard resource for quota',
      'spec.hard[pods]: Invalid value: "1500m": must be an integer',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","X"]: unsupported scope',
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort","X"]: conflicting scopes',
    ],
  },
  {
    kind: 'LimitRange',
    is: 'out of order',
    object: specOf({
      limits: [
        { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } },
        { type: 'Pod', default: { cpu: '1' } },
        { type: 'X' },
        { type: 'PersistentVolumeClaim' },
      ],
    }),
    faults: [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
      'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1',
      "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[2].type: Invalid value: "X": must be a standard limit type or fully qualified',
      'spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    ],
  },
  {
    kind: 'Binding',
    is: 'to nothing',
    object: { target: { kind: 'Pod' } },
    faults: [
      'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
      'target.name: Required value',
    ],
  },
];

testFaults('volumes and limits', data);
