import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Fields, faultsOf } from '#kit/kube/faults-of.ts';
import { containerOf, inContainer, podOf } from '#kit/kube/pods.ts';

const first = 'spec.containers[0]';

/** What is written, and what is wrong with it. */
const rows: readonly (readonly [string, Fields, readonly string[]])[] = [
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
        containerOf({ name: 'a', livenessProbe: { exec: { command: ['x'] } } }),
        containerOf({ name: 's', restartPolicy: 'Never' }),
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
      containers: [containerOf({ restartPolicy: 'Always' })],
      ephemeralContainers: [containerOf({ name: 'a', ports: [{ containerPort: 1 }], targetContainerName: 'x' })],
    }),
    [
      'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
      'spec.ephemeralContainers[0].name: Duplicate value: "a"',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "x"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ],
];

describe('volumes and resources of new pods', () => {
  for (const [name, fields, expected] of rows) test(name, () => assert.deepEqual(faultsOf('Pod', fields), expected));
});
