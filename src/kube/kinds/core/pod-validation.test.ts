import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, defaulted, faultsOf, kindNamed, textOf } from '#kit/kube/faults-of.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

function podOf(spec: Fields, metadata: Fields = {}): Fields {
  return { metadata, spec: { containers: [container({})], ...spec } };
}

function container(fields: Fields): Fields {
  return { name: 'a', image: 'i', ...fields };
}

function inContainer(fields: Fields, spec: Fields = {}): Fields {
  return podOf({ containers: [container(fields)], ...spec });
}

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
    podOf({ containers: [container({}), container({})] }),
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
        container({ ports: [{ containerPort: 1, hostPort: 80 }] }),
        container({ name: 'b', ports: [{ containerPort: 2, hostPort: 80 }] }),
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
  [
    'volumes',
    podOf({
      volumes: [
        { name: 'v', emptyDir: {}, hostPath: { path: '/' } },
        { name: 'v', configMap: {} },
        { hostPath: { path: '/a/../b', type: 'Nope' } },
        {
          name: 'w',
          secret: {
            secretName: 's',
            defaultMode: 512,
            items: [
              { key: 'k', path: '../x' },
              { key: '', path: '/y' },
              { key: 'z', path: '..z' },
            ],
          },
        },
        {
          name: 'p',
          projected: {
            sources: [
              {
                secret: { name: 's', items: [{ key: 'a', path: 'p' }] },
                configMap: { name: 'c', items: [{ key: 'a', path: 'p' }] },
              },
            ],
          },
        },
        { name: 'd', downwardAPI: { items: [{ path: 'x' }, { path: 'y', fieldRef: { fieldPath: 'spec.nodeName' } }] } },
        { name: 'n', nfs: { server: 's', path: 'x' } },
        { name: 'c', persistentVolumeClaim: { claimName: '' } },
      ],
    }),
    [
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
      'spec.volumes[1].configMap.name: Required value',
      'spec.volumes[1].name: Duplicate value: "v"',
      `spec.volumes[2].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      'spec.volumes[2].hostPath.type: Unsupported value: "Nope": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      'spec.volumes[2].name: Required value',
      'spec.volumes[3].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      `spec.volumes[3].secret.items[0].path: Invalid value: "../x": must not contain '..'`,
      'spec.volumes[3].secret.items[1].key: Required value',
      'spec.volumes[3].secret.items[1].path: Invalid value: "/y": must be a relative path',
      `spec.volumes[3].secret.items[2].path: Invalid value: "..z": must not start with '..'`,
      'spec.volumes[4].projected: Invalid value: "c": conflicting duplicate paths',
      'spec.volumes[4].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
      'spec.volumes[5].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
      'spec.volumes[5].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
      'spec.volumes[6].nfs.path: Invalid value: "x": must be an absolute path',
      'spec.volumes[7].persistentVolumeClaim.claimName: Required value',
    ],
  ],
  [
    'a token without an account',
    podOf({
      volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 5 } }] } }],
    }),
    [
      'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  ],
  [
    'mounts',
    inContainer(
      {
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'gone', mountPath: '/a' },
          { name: 'v', mountPath: '', subPath: '/x' },
          { name: 'v', mountPath: '/b', mountPropagation: 'Bidirectional', recursiveReadOnly: 'Enabled' },
        ],
        volumeDevices: [{ name: 'v', devicePath: '/dev/x' }],
      },
      { volumes: [{ name: 'v', emptyDir: {} }] },
    ),
    [
      `${first}.volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices`,
      `${first}.volumeMounts[1].name: Not found: "gone"`,
      `${first}.volumeMounts[1].mountPath: Invalid value: "/a": must be unique`,
      `${first}.volumeMounts[2].mountPath: Required value`,
      `${first}.volumeMounts[2].name: Invalid value: "v": must not already exist in volumeDevices`,
      `${first}.volumeMounts.subPath: Invalid value: "/x": must be a relative path`,
      `${first}.volumeMounts[3].name: Invalid value: "v": must not already exist in volumeDevices`,
      `${first}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
      `${first}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
      `${first}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified`,
      `${first}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
      `${first}.volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts`,
    ],
  ],
  [
    'resources',
    inContainer({
      resources: {
        limits: { cpu: '1', 'example.com/gpu': '1500m', gpu: '1', 'hugepages-2Mi': '3Mi' },
        requests: { cpu: '2', memory: '-1', 'example.com/fpga': '1' },
      },
    }),
    [
      `${first}.resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer`,
      `${first}.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
      `${first}.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      `${first}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${first}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
      `${first}.resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer`,
      `${first}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
      `${first}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      `${first}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${first}.resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0`,
      `${first}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
    ],
  ],
  [
    'probes',
    inContainer({
      livenessProbe: { successThreshold: 2, initialDelaySeconds: -1 },
      readinessProbe: {
        httpGet: { port: 0, scheme: 'FTP', httpHeaders: [{ name: 'a b' }] },
        exec: { command: [] },
        terminationGracePeriodSeconds: 1,
      },
      startupProbe: { tcpSocket: { port: 'UP' } },
      lifecycle: { preStop: { sleep: { seconds: 99 } } },
    }),
    [
      `${first}.lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and less than terminationGracePeriodSeconds (30)`,
      `${first}.livenessProbe: Required value: must specify a handler type`,
      `${first}.livenessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0`,
      `${first}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
      `${first}.readinessProbe.exec.command: Required value`,
      `${first}.readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type`,
      `${first}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes`,
      `${first}.startupProbe.tcpSocket.port: Invalid value: "UP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
      `${first}.startupProbe.tcpSocket.port: Invalid value: "UP": must contain at least one letter (a-z)`,
    ],
  ],
  [
    'an action over HTTP',
    inContainer({ livenessProbe: { httpGet: { port: 0, scheme: 'FTP', httpHeaders: [{ name: 'a b' }] } } }),
    [
      `${first}.livenessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      `${first}.livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"`,
      `${first}.livenessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-'`,
    ],
  ],
  [
    'initial containers',
    podOf({
      initContainers: [
        container({ name: 'a', livenessProbe: { exec: { command: ['x'] } } }),
        container({ name: 's', restartPolicy: 'Never' }),
      ],
    }),
    [
      'spec.initContainers[0].name: Duplicate value: "a"',
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[1].restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
  ],
  [
    'what belongs to other containers',
    podOf({
      containers: [container({ restartPolicy: 'Always' })],
      ephemeralContainers: [container({ name: 'a', ports: [{ containerPort: 1 }], targetContainerName: 'x' })],
    }),
    [
      'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
      'spec.ephemeralContainers[0].name: Duplicate value: "a"',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "x"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ],
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

describe('new pods', () => {
  for (const [name, fields, expected] of rows) test(name, () => assert.deepEqual(faultsOf('Pod', fields), expected));
});

const allowed =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What there was, what shall be, and what is wrong with that. */
const updates: readonly (readonly [string, Fields, Fields, readonly string[]])[] = [
  ['nothing changes', podOf({}), podOf({}), []],
  ['another image', podOf({}), inContainer({ image: 'j' }), []],
  [
    'one container more',
    podOf({}),
    podOf({ containers: [container({}), container({ name: 'b' })] }),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  ],
  [
    'another command',
    podOf({}),
    inContainer({ command: ['x'] }),
    [`spec: Forbidden: ${allowed}\n+  containers[0].command: ["x"]`],
  ],
  ['a deadline', podOf({}), podOf({ activeDeadlineSeconds: 5 }), []],
  [
    'a later deadline',
    podOf({ activeDeadlineSeconds: 5 }),
    podOf({ activeDeadlineSeconds: 6 }),
    ['spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value'],
  ],
  [
    'no deadline any more',
    podOf({ activeDeadlineSeconds: 5 }),
    podOf({}),
    ['spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value'],
  ],
  ['one toleration more', podOf({}), podOf({ tolerations: [{ operator: 'Exists' }] }), []],
  [
    'one toleration less',
    podOf({ tolerations: [{ operator: 'Exists' }] }),
    podOf({}),
    ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
  ],
  ['one gate less', podOf({ schedulingGates: [{ name: 'g' }] }), podOf({}), []],
  [
    'one gate more',
    podOf({}),
    podOf({ schedulingGates: [{ name: 'g' }] }),
    ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"],
  ],
  ['narrowed while gated', podOf({ schedulingGates: [{ name: 'g' }] }), podOf({ nodeSelector: { a: 'b' } }), []],
  [
    'narrowed afterwards',
    podOf({}),
    podOf({ nodeSelector: { a: 'b' } }),
    [`spec: Forbidden: ${allowed}\n+  nodeSelector: {"a":"b"}`],
  ],
  [
    'a mirror',
    podOf({}),
    podOf({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ['metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation'],
  ],
];

describe('pods that change', () => {
  for (const [name, old, fields, expected] of updates)
    test(name, () => assert.deepEqual(faultsOf('Pod', fields, old), expected));
});

describe('pods that change by subresources', () => {
  const check = (subresource: string, fields: Fields, old: Fields): readonly string[] =>
    [
      ...(kindNamed('Pod').subresourceRules?.[subresource]?.(defaulted('Pod', fields), defaulted('Pod', old)) ?? []),
    ].map(textOf);

  test('ephemeral containers can only be added', () => {
    const [one, two] = [container({ name: 'one' }), container({ name: 'two' })];
    assert.deepEqual(
      check('ephemeralcontainers', podOf({ ephemeralContainers: [one, two] }), podOf({ ephemeralContainers: [one] })),
      [],
    );
    assert.deepEqual(check('ephemeralcontainers', podOf({}), podOf({ ephemeralContainers: [one] })), [
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "one" may not be removed\n',
    ]);
    assert.deepEqual(
      check(
        'ephemeralcontainers',
        podOf({ ephemeralContainers: [{ ...one, image: 'j' }] }),
        podOf({ ephemeralContainers: [one] }),
      ),
      [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "one" may not be changed\n-  image: "i"\n+  image: "j"',
      ],
    );
  });

  test('processor time and memory can be changed', () => {
    const withResources = (requests: Fields, limits: Fields): Fields =>
      inContainer({ resources: { requests, limits } });
    const old = withResources({ cpu: '1', memory: '1Gi' }, { memory: '2Gi' });
    assert.deepEqual(check('resize', withResources({ cpu: '2', memory: '1Gi' }, { memory: '3Gi' }), old), []);
    assert.deepEqual(check('resize', withResources({ memory: '1Gi' }, { memory: '1Gi' }), old), [
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      'spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer',
    ]);
    assert.deepEqual(
      check(
        'resize',
        inContainer({ image: 'j', resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '2Gi' } } }),
        old,
      ),
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    );
    assert.deepEqual(check('resize', inContainer({}), old).slice(0, 1), [
      'spec: Invalid value: "": Pod QOS Class may not change as a result of resizing',
    ]);
  });
});
