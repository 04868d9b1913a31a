import { type FaultRow, specOf, subdomainRule, testFaults } from '#kit/kube/fault-rows.ts';

const network: readonly FaultRow[] = [
  {
    kind: 'Ingress',
    is: 'empty',
    object: {},
    faults: ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified'],
  },
  {
    kind: 'Ingress',
    is: 'wrong in all',
    object: {
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'a' } },
      ...specOf({
        ingressClassName: 'A',
        rules: [
          { host: '1.2.3.4', http: { paths: [] } },
          {
            host: '*.A',
            http: {
              paths: [
                { path: 'x', backend: { service: { name: 's', port: { number: 80 } } } },
                { path: '/a//b/..', pathType: 'Exact', backend: { service: { name: '1', port: {} } } },
                { path: 'y', pathType: 'Nope', backend: {} },
                { path: 'y', pathType: 'Prefix', backend: { service: { name: 's', port: { name: 'p', number: 1 } } } },
              ],
            },
          },
        ],
        tls: [{ hosts: ['*'] }],
      }),
    },
    faults: [
      'annotations.kubernetes.io/ingress.class: Invalid value: "a": can not be set when the class field is also set',
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths: Required value',
      "spec.rules[1].host: Invalid value: \"*.A\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      'spec.rules[1].http.paths[0].pathType: Required value: pathType must be specified',
      'spec.rules[1].http.paths[1].path: Invalid value: "/a//b/..": must not contain \'//\'',
      'spec.rules[1].http.paths[1].path: Invalid value: "/a//b/..": cannot end with \'/..\'',
      'spec.rules[1].http.paths[1].backend.service.name: Invalid value: "1": a DNS-1035 label must consist of lower case alphanumeric characters or \'-\', start with an alphabetic character, and end with an alphanumeric character',
      'spec.rules[1].http.paths[1].backend.service: Required value: port name or number is required',
      'spec.rules[1].http.paths[2].pathType: Unsupported value: "Nope": supported values: "Exact", "ImplementationSpecific", "Prefix"',
      'spec.rules[1].http.paths[2].backend: Required value: cannot be empty',
      'spec.rules[1].http.paths[3].path: Invalid value: "y": must be an absolute path',
      'spec.rules[1].http.paths[3].backend.service: Invalid value: "": cannot set both port name & port number',
      "spec.tls[0].hosts[0]: Invalid value: \"*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `spec.ingressClassName: Invalid value: "A": ${subdomainRule}`,
    ],
  },
  {
    kind: 'IngressClass',
    is: 'wrong in all',
    object: specOf({ controller: 'x', parameters: { scope: 'Namespace' } }),
    faults: [
      'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
      'spec.parameters.kind: Required value: kind is required',
      'spec.parameters.name: Required value: name is required',
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  },
  {
    kind: 'NetworkPolicy',
    is: 'wrong in all',
    object: specOf({
      ingress: [
        {
          ports: [{ protocol: 'X', port: 0, endPort: 5 }, { endPort: 1 }],
          from: [{}, { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/8', 'x'] }, podSelector: {} }],
        },
      ],
      policyTypes: ['Sideways'],
    }),
    faults: [
      'spec.ingress[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ingress[0].ports[1].port: Required value: must be specified when `endPort` is specified',
      'spec.ingress[0].from[0]: Required value: must specify a peer',
      'spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: "11.0.0.0/8": must be a strict subset of `cidr`',
      'spec.ingress[0].from[1].ipBlock.except[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer',
      'spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Egress", "Ingress"',
    ],
  },
  {
    kind: 'Endpoints',
    is: 'wrong in all',
    object: {
      subsets: [
        {},
        { addresses: [{ ip: '169.254.1.1', nodeName: 'A' }], ports: [{ port: 0 }, { name: 'B', port: 1 }] },
      ],
    },
    faults: [
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
      `subsets[1].addresses[0].nodeName: Invalid value: "A": ${subdomainRule}`,
      'subsets[1].addresses[0].ip: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      'subsets[1].ports[0].name: Required value',
      'subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'subsets[1].ports[1].name: Invalid value: "B": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \'-\', and must start and end with an alphanumeric character',
    ],
  },
  {
    kind: 'EndpointSlice',
    is: 'wrong in all',
    object: { addressType: 'IPv4', endpoints: [{}, { addresses: ['::1'] }], ports: [{ port: 1 }, { port: 2 }] },
    faults: [
      'endpoints[0].addresses: Required value: must contain at least 1 address',
      'endpoints[1].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
      'endpoints[1].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'ports[1].name: Duplicate value: ""',
    ],
  },
  {
    kind: 'IPAddress',
    is: 'no address',
    object: { metadata: { name: '::0' } },
    faults: [
      'metadata.name: Invalid value: "::0": must be a valid IP address in canonical form',
      'spec.parentRef: Required value',
    ],
  },
  {
    kind: 'ServiceCIDR',
    is: 'changed',
    object: specOf({ cidrs: ['10.1.0.0/16'] }),
    old: specOf({ cidrs: ['10.0.0.0/16'] }),
    faults: ['spec.cidrs: Invalid value: ["10.1.0.0/16"]: field is immutable'],
  },
];

testFaults('ingress and policies', network);
