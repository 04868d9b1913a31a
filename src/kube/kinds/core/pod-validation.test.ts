import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, faultsOf } from '#kit/kube/faults-of.ts';
import { containerOf, inContainer, podOf } from '#kit/kube/pods.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

const first = 'spec.containers[0]';

/** What is written, and what is wrong with it. */
const rows: readonly (readonly [string, Fields, readonly string[]])[] = [
  ['nothing is wrong', podOf({}), []],
  ['no containers', { spec: {} }, ['spec.containers: Required value']],
  [
    'a container without a name and image',
    podOf({ containers: [{}] }),
    [`${first}.name: Required value`, `${first}.image: Required value`],
  ],
  ['a bad name', inContainer({ name: 'A_b' }), [`${first}.name: Invalid value: "A_b": ${label}`]],
  [
    'a name twice',
    podOf({ containers: [containerOf({}), containerOf({})] }),
    ['spec.containers[1].name: Duplicate value: "a"'],
  ],
  [
    'space around an image',
    inContainer({ image: ' i' }),
    [`${first}.image: Invalid value: " i": must not have leading or trailing whitespace`],
  ],
  [
    'values that there are not',
    inContainer(
      { imagePullPolicy: 'Sometimes', terminationMessagePolicy: 'X' },
      { restartPolicy: 'Nope', dnsPolicy: 'Y' },
    ),
    [
      `${first}.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"`,
      `${first}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
      'spec.restartPolicy: Unsupported value: "Nope": supported values: "Always", "OnFailure", "Never"',
      'spec.dnsPolicy: Unsupported value: "Y": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  ],
  [
    'ports',
    inContainer({
      ports: [
        { containerPort: 70_000, protocol: 'X' },
        { name: 'UP', hostPort: -1 },
        { containerPort: 1, name: 'p' },
        { containerPort: 2, name: 'p' },
      ],
    }),
    [
      `${first}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
      `${first}.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`,
      `${first}.ports[1].name: Invalid value: "UP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
      `${first}.ports[1].name: Invalid value: "UP": must contain at least one letter (a-z)`,
      `${first}.ports[1].containerPort: Required value`,
      `${first}.ports[1].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive`,
      `${first}.ports[3].name: Duplicate value: "p"`,
    ],
  ],
  [
    'a port of the node twice',
    podOf({
      containers: [
        containerOf({ ports: [{ containerPort: 1, hostPort: 80 }] }),
        containerOf({ name: 'b', ports: [{ containerPort: 2, hostPort: 80 }] }),
      ],
    }),
    ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
  ],
  [
    'another port on the network of the node',
    inContainer({ ports: [{ containerPort: 1, hostPort: 2 }] }, { hostNetwork: true }),
    [`${first}.ports[0].hostPort: Invalid value: 2: must match \`containerPort\` when \`hostNetwork\` is true`],
  ],
  [
    'environment',
    inContainer({
      env: [
        { name: '' },
        { name: 'a=b' },
        { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'B', valueFrom: {} },
        { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } },
        { name: 'D', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
        { name: 'E', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
        { name: 'F', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1k' } } },
        { name: 'G', valueFrom: { secretKeyRef: { name: 's', key: 'a/b' } } },
        { name: 'H', valueFrom: { configMapKeyRef: { name: 'C', key: '' } } },
        { name: 'I', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a b']" } } },
      ],
    }),
    [
      `${first}.env[0].name: Required value`,
      `${first}.env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      `${first}.env[2].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
      `${first}.env[3].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
      `${first}.env[4].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x`,
      `${first}.env[5].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
      `${first}.env[6].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
      `${first}.env[7].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
      `${first}.env[8].valueFrom.secretKeyRef.key: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`,
      `${first}.env[9].valueFrom.configMapKeyRef.name: Invalid value: "C": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
      `${first}.env[9].valueFrom.configMapKeyRef.key: Required value`,
      `${first}.env[10].valueFrom.fieldRef: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
    ],
  ],
  [
    'sources of environment',
    inContainer({ envFrom: [{ prefix: '=' }, { configMapRef: {}, secretRef: { name: 's' } }] }),
    [
      `${first}.envFrom[0].prefix: Invalid value: "=": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      `${first}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``,
      `${first}.envFrom[1].configMapRef.name: Required value`,
      `${first}.envFrom: Invalid value: "": may not have more than one field specified at a time`,
    ],
  ],
];

describe('containers of new pods', () => {
  for (const [name, fields, expected] of rows) test(name, () => assert.deepEqual(faultsOf('Pod', fields), expected));
});
