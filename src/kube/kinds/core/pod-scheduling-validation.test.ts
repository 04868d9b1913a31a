import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, faultsOf } from '#kit/kube/faults-of.ts';
import { inContainer, podOf } from '#kit/kube/pods.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

const first = 'spec.containers[0]';

/** What is written, and what is wrong with it. */
const rows: readonly (readonly [string, Fields, readonly string[]])[] = [
  [
    'security',
    inContainer(
      {
        securityContext: {
          runAsUser: -1,
          procMount: 'Unmasked',
          privileged: true,
          allowPrivilegeEscalation: false,
          seccompProfile: { type: 'Localhost' },
        },
      },
      {
        securityContext: {
          fsGroup: -2,
          sysctls: [{ name: 'net.x' }, { name: 'A' }],
          appArmorProfile: { type: 'Nope' },
        },
        hostNetwork: true,
        hostPID: true,
        shareProcessNamespace: true,
      },
    ),
    [
      `${first}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`,
      `${first}.securityContext.procMount: Invalid value: "Unmasked": \`hostUsers\` must be false to use \`Unmasked\``,
      `${first}.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost`,
      `${first}.securityContext: Invalid value: {"runAsUser":-1,"procMount":"Unmasked","privileged":true,"allowPrivilegeEscalation":false,"seccompProfile":{"type":"Localhost"}}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      'spec.securityContext.fsGroup: Invalid value: -2: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      `spec.securityContext.sysctls[0].name: Invalid value: "net.x": may not be specified when 'hostNetwork' is true`,
      'spec.securityContext.sysctls[1].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      'spec.securityContext.appArmorProfile.type: Unsupported value: "Nope": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
    ],
  ],
  [
    'users of their own and namespaces of the node',
    podOf({ hostUsers: false, hostNetwork: true, hostIPC: true }),
    [
      'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
      'spec.HostIPC: Forbidden: when `pod.Spec.HostUsers` is false',
    ],
  ],
  [
    'scheduling',
    podOf({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  { key: 'a', operator: 'In' },
                  { key: 'b', operator: 'Like', values: ['-'] },
                ],
                matchFields: [{ key: 'x', operator: 'In', values: [] }],
              },
            ],
          },
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 0, preference: { matchExpressions: [{ key: 'c', operator: 'In', values: ['-'] }] } },
          ],
        },
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
          ],
        },
      },
      tolerations: [
        { operator: 'Equal' },
        { key: 'a', operator: 'Exists', value: 'b' },
        { key: 'a', effect: 'Nope', tolerationSeconds: 1 },
      ],
      topologySpreadConstraints: [
        { maxSkew: 0, topologyKey: 'k', whenUnsatisfiable: 'Now' },
        { maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'Now', minDomains: 0 },
      ],
      schedulingGates: [{ name: 'g' }, { name: 'g' }],
    }),
    [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].operator: Invalid value: "Like": not a valid selector operator',
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values[0]: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "x": not a valid field selector key',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
      "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      'spec.schedulingGates[1]: Duplicate value: "g"',
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Now": supported values: "DoNotSchedule", "ScheduleAnyway"',
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{k, Now}"',
      'spec.topologySpreadConstraints[1].whenUnsatisfiable: Unsupported value: "Now": supported values: "DoNotSchedule", "ScheduleAnyway"',
      'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not Now',
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      `spec.tolerations[1].operator: Invalid value: "b": value must be empty when \`operator\` is 'Exists'`,
      `spec.tolerations[2].effect: Invalid value: "Nope": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      'spec.tolerations[2].effect: Unsupported value: "Nope": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  ],
  [
    'names and numbers',
    podOf({
      activeDeadlineSeconds: 0,
      hostname: 'A',
      nodeName: 'n',
      schedulingGates: [{ name: 'g' }],
      hostAliases: [{ ip: 'x', hostnames: ['h'] }],
      dnsPolicy: 'None',
    }),
    [
      'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
      `spec.hostname: Invalid value: "A": ${label}`,
      'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
  ],
  [
    'names of servers',
    podOf({
      dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3', 'x'], searches: ['a_b', '.', 'A'], options: [{}] },
    }),
    [
      'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","2.2.2.2","3.3.3.3","x"]: must not have more than 3 nameservers',
      'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      "spec.dnsConfig.searches[2]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      'spec.dnsConfig.options[0]: Required value: must not be empty',
    ],
  ],
  [
    'annotations that mean something',
    podOf({}, { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '01' } }),
    ['metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "01": must be a 32bit integer'],
  ],
];

describe('security, scheduling, names of new pods', () => {
  for (const [name, fields, expected] of rows) test(name, () => assert.deepEqual(faultsOf('Pod', fields), expected));
});
