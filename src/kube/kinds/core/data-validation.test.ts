import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const data: readonly FaultRow[] = [
  {
    kind: 'ConfigMap',
    is: 'of bad keys',
    object: { data: { 'a/b': '', c: '' }, binaryData: { c: '' } },
    faults: [
      "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      'data[c]: Invalid value: "c": duplicate of key present in binaryData',
    ],
  },
  {
    kind: 'ConfigMap',
    is: 'too large',
    object: { data: { a: 'x'.repeat(1024 * 1024 + 1) } },
    faults: ['Too long: may not be more than 1048576 bytes'],
  },
  {
    kind: 'ConfigMap',
    is: 'locked',
    object: { data: { a: '2' } },
    old: { data: { a: '1' }, immutable: true },
    faults: [
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ],
  },
  {
    kind: 'Secret',
    is: 'without what its type needs',
    object: { type: 'kubernetes.io/tls', data: { 'tls.crt': 'eA==' } },
    faults: ['data[tls.key]: Required value'],
  },
  {
    kind: 'Secret',
    is: 'of no user',
    object: { type: 'kubernetes.io/basic-auth' },
    faults: ['data[username]: Required value', 'data[password]: Required value'],
  },
  {
    kind: 'Secret',
    is: 'of no registry',
    object: { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '[' } },
    faults: ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a JSON object'],
  },
  {
    kind: 'Secret',
    is: 'of no account',
    object: { type: 'kubernetes.io/service-account-token' },
    faults: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  },
  {
    kind: 'Secret',
    is: 'of another type now',
    object: { type: 'x' },
    old: {},
    faults: ['type: Invalid value: "x": field is immutable'],
  },
  {
    kind: 'Namespace',
    is: 'with dots',
    object: { metadata: { name: 'a.b' }, spec: { finalizers: ['x'] } },
    faults: [
      'metadata.name: Invalid value: "a.b": must not contain dots',
      'spec.finalizers: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ],
  },
  {
    kind: 'Node',
    is: 'wrong in all',
    object: {
      spec: {
        taints: [
          { key: 'a', effect: 'X' },
          { key: 'a', effect: 'X' },
        ],
        podCIDRs: ['10.0.0.0/8', 'x'],
      },
      status: { capacity: { cpu: '-1' } },
    },
    faults: [
      'metadata.taints[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'metadata.taints[1].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      'metadata.taints[1]: Duplicate value: {"key":"a","effect":"X"}: taints must be unique by key and effect pair',
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'spec.podCIDRs[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.podCIDRs: Invalid value: ["10.0.0.0/8","x"]: may specify no more than one CIDR for each IP family',
    ],
  },
  {
    kind: 'Node',
    is: 'moved',
    object: specOf({ podCIDRs: ['10.1.0.0/16'], providerID: 'b' }),
    old: specOf({ podCIDRs: ['10.0.0.0/16'], providerID: 'a' }),
    faults: [
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
  },
  {
    kind: 'Event',
    is: 'about another namespace',
    object: { involvedObject: { namespace: 'other' } },
    faults: ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
  },
];

testFaults('data, namespaces, nodes', data);
