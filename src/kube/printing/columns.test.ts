import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { kinds } from '../kinds/kinds.ts';
import { age } from './columns.ts';

const nowMs = Date.parse('2026-01-02T00:00:00Z');
const made = '2026-01-01T00:00:00Z';

interface Sample {
  readonly headers: string;
  readonly object: Readonly<Record<string, unknown>>;
  readonly cells: readonly unknown[];
}

const template = {
  spec: {
    containers: [
      { name: 'a', image: 'i:1' },
      { name: 'b', image: 'j' },
    ],
  },
};
const selector = { matchLabels: { app: 'x' } };

/** What kubectl shows, wide columns in brackets. */
const samples: Readonly<Record<string, Sample>> = {
  Deployment: {
    headers: 'Name Ready Up-to-date Available Age [Containers] [Images] [Selector]',
    object: { spec: { replicas: 3, template, selector }, status: { readyReplicas: 1, updatedReplicas: 2 } },
    cells: ['x', '1/3', 2, 0, '24h', 'a,b', 'i:1,j', 'app=x'],
  },
  ReplicaSet: {
    headers: 'Name Desired Current Ready Age [Containers] [Images] [Selector]',
    object: { spec: { replicas: 3, template, selector }, status: { replicas: 2, readyReplicas: 1 } },
    cells: ['x', 3, 2, 1, '24h', 'a,b', 'i:1,j', 'app=x'],
  },
  StatefulSet: {
    headers: 'Name Ready Age [Containers] [Images]',
    object: { spec: { replicas: 3, template }, status: { readyReplicas: 2 } },
    cells: ['x', '2/3', '24h', 'a,b', 'i:1,j'],
  },
  DaemonSet: {
    headers: 'Name Desired Current Ready Up-to-date Available Node_Selector Age [Containers] [Images] [Selector]',
    object: { spec: { template, selector }, status: { desiredNumberScheduled: 2, numberReady: 1 } },
    cells: ['x', 2, 0, 1, 0, 0, '<none>', '24h', 'a,b', 'i:1,j', 'app=x'],
  },
  Job: {
    headers: 'Name Status Completions Duration Age [Containers] [Images] [Selector]',
    object: {
      spec: { completions: 2, template, selector },
      status: {
        succeeded: 1,
        startTime: made,
        completionTime: '2026-01-01T00:01:05Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    cells: ['x', 'Complete', '1/2', '65s', '24h', 'a,b', 'i:1,j', 'app=x'],
  },
  CronJob: {
    headers: 'Name Schedule Timezone Suspend Active Last_Schedule Age [Containers] [Images] [Selector]',
    object: {
      spec: { schedule: '* * * * *', suspend: false },
      status: { active: [{}], lastScheduleTime: '2026-01-01T23:59:00Z' },
    },
    cells: ['x', '* * * * *', '<none>', 'False', 1, '60s', '24h', '', '', '<none>'],
  },
  Service: {
    headers: 'Name Type Cluster-IP External-IP Port(s) Age [Selector]',
    object: {
      spec: {
        type: 'LoadBalancer',
        clusterIPs: ['10.0.0.1'],
        selector: { app: 'x' },
        externalIPs: ['1.1.1.1'],
        ports: [
          { port: 80, protocol: 'TCP', nodePort: 30080 },
          { port: 53, protocol: 'UDP' },
        ],
      },
      status: { loadBalancer: { ingress: [{ hostname: 'lb' }, { ip: '2.2.2.2' }] } },
    },
    cells: ['x', 'LoadBalancer', '10.0.0.1', '2.2.2.2,lb,1.1.1.1', '80:30080/TCP,53/UDP', '24h', 'app=x'],
  },
  Ingress: {
    headers: 'Name Class Hosts Address Ports Age',
    object: {
      spec: { rules: [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }], tls: [{}] },
      status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } },
    },
    cells: ['x', '<none>', 'a,b,c + 1 more...', '1.1.1.1', '80, 443', '24h'],
  },
  IngressClass: {
    headers: 'Name Controller Parameters Age',
    object: { spec: { controller: 'c', parameters: { apiGroup: 'g', kind: 'K', name: 'n' } } },
    cells: ['x', 'c', 'K.g/n', '24h'],
  },
  Node: {
    headers:
      'Name Status Roles Age Version [Internal-IP] [External-IP] [OS-Image] [Kernel-Version] [Container-Runtime]',
    object: {
      metadata: {
        name: 'x',
        creationTimestamp: made,
        labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'db' },
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.9' }],
        nodeInfo: { kubeletVersion: 'v1', osImage: 'Debian' },
      },
    },
    cells: [
      'x',
      'Ready,SchedulingDisabled',
      'db,worker',
      '24h',
      'v1',
      '10.0.0.9',
      '<none>',
      'Debian',
      '<unknown>',
      '<unknown>',
    ],
  },
  Event: {
    headers: 'Last_Seen Type Reason Object [Subobject] [Source] Message [First_Seen] [Count] [Name]',
    object: {
      type: 'Normal',
      reason: 'Pulled',
      involvedObject: { kind: 'Pod', name: 'p' },
      source: { component: 'kubelet', host: 'n' },
      message: ' m ',
      firstTimestamp: made,
      lastTimestamp: '2026-01-01T23:00:00Z',
      count: 3,
    },
    cells: ['60m', 'Normal', 'Pulled', 'pod/p', '', 'kubelet, n', 'm', '24h', 3, 'x'],
  },
  Endpoints: {
    headers: 'Name Endpoints Age',
    object: { subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: '::1' }], ports: [{ port: 80 }, { port: 81 }] }] },
    cells: ['x', '1.1.1.1:80,[::1]:80,1.1.1.1:81 + 1 more...', '24h'],
  },
  EndpointSlice: {
    headers: 'Name AddressType Ports Endpoints Age',
    object: { addressType: 'IPv4', ports: [{ port: 80 }, { name: 'p' }, {}], endpoints: [{ addresses: ['1.1.1.1'] }] },
    cells: ['x', 'IPv4', '80,p,*', '1.1.1.1', '24h'],
  },
  PersistentVolume: {
    headers:
      'Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age [VolumeMode]',
    object: {
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
        claimRef: { namespace: 'd', name: 'c' },
        persistentVolumeReclaimPolicy: 'Retain',
        volumeMode: 'Block',
      },
      status: { phase: 'Bound' },
    },
    cells: ['x', '1Gi', 'RWO,RWX', 'Retain', 'Bound', 'd/c', '', '<unset>', '', '24h', 'Block'],
  },
  PersistentVolumeClaim: {
    headers: 'Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age [VolumeMode]',
    object: {
      spec: { volumeName: 'v', storageClassName: 's' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
    },
    cells: ['x', 'Bound', 'v', '1Gi', 'RWO', 's', '<unset>', '24h', '<unset>'],
  },
  ResourceQuota: {
    headers: 'Name Request Limit Age',
    object: { status: { hard: { pods: '4', cpu: '2', 'limits.cpu': '3' }, used: { pods: '1' } } },
    cells: ['x', 'cpu: 0/2, pods: 1/4', 'limits.cpu: 0/3', '24h'],
  },
  HorizontalPodAutoscaler: {
    headers: 'Name Reference Targets MinPods MaxPods Replicas Age',
    object: {
      spec: {
        maxReplicas: 5,
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } },
          { type: 'External', external: { target: { averageValue: '10' } } },
          { type: 'Pods' },
        ],
      },
      status: { currentMetrics: [{ resource: { current: { averageUtilization: 40 } } }] },
    },
    cells: ['x', 'Deployment/d', 'cpu: 40%/80%, <unknown>/10 (avg) + 1 more...', '<unset>', 5, 0, '24h'],
  },
  CertificateSigningRequest: {
    headers: 'Name Age SignerName Requestor RequestedDuration Condition',
    object: {
      spec: { signerName: 's', username: 'u', expirationSeconds: 86_400 },
      status: { conditions: [{ type: 'Approved' }], certificate: 'eA==' },
    },
    cells: ['x', '24h', 's', 'u', '24h', 'Approved,Issued'],
  },
  RoleBinding: {
    headers: 'Name Role Age [Users] [Groups] [ServiceAccounts]',
    object: {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', namespace: 'n', name: 's' },
      ],
    },
    cells: ['x', 'Role/r', '24h', 'u', '', 'n/s'],
  },
  Role: { headers: 'Name Created_At', object: {}, cells: ['x', made] },
  ControllerRevision: {
    headers: 'Name Controller Revision Age',
    object: {
      metadata: {
        name: 'x',
        creationTimestamp: made,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', uid: 'u', controller: true }],
      },
      revision: 2,
    },
    cells: ['x', 'statefulset.apps/s', 2, '24h'],
  },
  APIService: {
    headers: 'Name Service Available Age',
    object: { status: { conditions: [{ type: 'Available', status: 'False', reason: 'Gone' }] } },
    cells: ['x', 'Local', 'False (Gone)', '24h'],
  },
  IPAddress: {
    headers: 'Name ParentRef',
    object: { spec: { parentRef: { resource: 'services', namespace: 'n', name: 's' } } },
    cells: ['x', 'services/n/s'],
  },
  PodMetrics: {
    headers: 'Name cpu memory Window',
    object: { window: '15s', containers: [{ usage: { cpu: '10m', memory: '1Mi' } }, { usage: { cpu: '5m' } }] },
    cells: ['x', '15m', '1Mi', '15s'],
  },
  ComponentStatus: {
    headers: 'Name Status Message Error',
    object: { conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
    cells: ['x', 'Healthy', 'ok', ''],
  },
};

describe('tables', () => {
  for (const [name, { headers, object, cells }] of Object.entries(samples)) {
    test(name, () => {
      const kind = kinds.find((one) => one.kind === name);
      assert.ok(kind !== undefined);
      const shown = kind.columns.map((column) => {
        const word = column.name.replaceAll(' ', '_');
        return column.priority === 0 ? word : `[${word}]`;
      });
      assert.equal(shown.join(' '), headers);
      const whole = { apiVersion: '', kind: name, metadata: { name: 'x', creationTimestamp: made }, ...object };
      assert.deepEqual(
        kind.columns.map((column) => column.cell(whole, nowMs)),
        cells,
      );
    });
  }

  test('an age without a time is unknown', () => assert.equal(age(null, nowMs), '<unknown>'));
});
