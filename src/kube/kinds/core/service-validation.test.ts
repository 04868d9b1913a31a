import { type FaultRow, specOf, subdomainRule, testFaults } from '#kit/kube/fault-rows.ts';

const ports = [{ port: 80 }];

const network: readonly FaultRow[] = [
  { kind: 'Service', is: 'fine', object: specOf({ ports }), faults: [] },
  {
    kind: 'Service',
    is: 'named with a digit, and without ports',
    object: { metadata: { name: '1a' } },
    faults: [
      'metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric characters or \'-\', start with an alphabetic character, and end with an alphanumeric character',
      'spec.ports: Required value',
    ],
  },
  {
    kind: 'Service',
    is: 'of ports that are none',
    object: specOf({
      ports: [
        { port: 0, nodePort: 3 },
        { name: 'p', port: 53, protocol: 'X' },
        { name: 'p', port: 53, protocol: 'X', targetPort: 'A' },
      ],
    }),
    faults: [
      'spec.ports[0].name: Required value',
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[2].name: Duplicate value: "p"',
      'spec.ports[2].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[2].targetPort: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ports[2].targetPort: Invalid value: "A": must contain at least one letter (a-z)',
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
      'spec.ports[2]: Duplicate value: {"port":53,"protocol":"X"}',
    ],
  },
  {
    kind: 'Service',
    is: 'of a type that is none',
    object: specOf({ ports, type: 'Magic', sessionAffinity: 'Y', externalIPs: ['x', '127.0.0.1'] }),
    faults: [
      'spec.sessionAffinity: Unsupported value: "Y": supported values: "ClientIP", "None"',
      'spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.externalIPs[1]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  },
  {
    kind: 'Service',
    is: 'headless and of nodes',
    object: specOf({ ports, type: 'NodePort', clusterIP: 'None', externalTrafficPolicy: 'Near' }),
    faults: [
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
      'spec.externalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
    ],
  },
  {
    kind: 'Service',
    is: 'a name, and more',
    object: specOf({ type: 'ExternalName', externalName: 'A', clusterIPs: ['10.0.0.1'] }),
    faults: [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      `spec.externalName: Invalid value: "A": ${subdomainRule}`,
    ],
  },
  {
    kind: 'Service',
    is: 'given another address',
    object: specOf({ ports, clusterIP: '10.0.0.2' }),
    old: specOf({ ports, clusterIP: '10.0.0.1' }),
    faults: ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  },
  {
    kind: 'Service',
    is: 'sent without its address',
    object: specOf({ ports }),
    old: specOf({ ports, clusterIP: '10.0.0.1' }),
    faults: [],
  },
];

testFaults('services', network);
