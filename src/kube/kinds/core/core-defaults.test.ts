import { testDefaults, type DefaultRow } from '#kit/kube/default-rows.ts';
import { specOf } from '#kit/kube/fault-rows.ts';

const rows: readonly DefaultRow[] = [
  [
    'Service',
    specOf({ ports: [{ port: 80 }, { port: 53, protocol: 'UDP', targetPort: 'dns' }] }),
    specOf({
      ports: [
        { port: 80, protocol: 'TCP', targetPort: 80 },
        { port: 53, protocol: 'UDP', targetPort: 'dns' },
      ],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    }),
  ],
  [
    'Service',
    specOf({ type: 'LoadBalancer', sessionAffinity: 'ClientIP' }),
    specOf({
      type: 'LoadBalancer',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    }),
  ],
  [
    'Service',
    specOf({ type: 'ExternalName', externalName: 'a.b' }),
    specOf({ type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' }),
  ],
  [
    'Secret',
    { stringData: { b: 'é' }, data: { a: 'eA==', b: 'eQ==' } },
    { type: 'Opaque', data: { a: 'eA==', b: 'w6k=' } },
  ],
  ['Endpoints', { subsets: [{ ports: [{ port: 1 }] }] }, { subsets: [{ ports: [{ port: 1, protocol: 'TCP' }] }] }],
  ['PersistentVolume', specOf({}), specOf({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })],
  ['PersistentVolumeClaim', specOf({}), specOf({ volumeMode: 'Filesystem', resources: {} })],
  [
    'LimitRange',
    specOf({
      limits: [
        { type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    }),
    specOf({
      limits: [
        {
          type: 'Container',
          max: { cpu: '2' },
          min: { memory: '1Mi' },
          default: { cpu: '2' },
          defaultRequest: { cpu: '2', memory: '1Mi' },
        },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    }),
  ],
  ['ResourceQuota', specOf({ hard: { cpu: '1n', pods: '1' } }), specOf({ hard: { cpu: '1m', pods: '1' } })],
  ['Node', { status: { capacity: { cpu: '1' } } }, { status: { capacity: { cpu: '1' }, allocatable: { cpu: '1' } } }],
];

testDefaults('defaults of the core group', rows);
