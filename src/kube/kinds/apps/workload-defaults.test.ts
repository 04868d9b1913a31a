import { templateDefaults, testDefaults, type DefaultRow } from '#kit/kube/default-rows.ts';
import { specOf } from '#kit/kube/fault-rows.ts';

const rows: readonly DefaultRow[] = [
  [
    'Deployment',
    {},
    specOf({
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: templateDefaults,
    }),
  ],
  [
    'Deployment',
    specOf({ replicas: 0, strategy: { type: 'Recreate' } }),
    specOf({
      replicas: 0,
      strategy: { type: 'Recreate' },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: templateDefaults,
    }),
  ],
  ['ReplicaSet', {}, specOf({ replicas: 1, template: templateDefaults })],
  [
    'DaemonSet',
    {},
    specOf({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      template: templateDefaults,
    }),
  ],
  [
    'StatefulSet',
    specOf({ volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
    specOf({
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      replicas: 1,
      revisionHistoryLimit: 10,
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { volumeMode: 'Filesystem', resources: {} },
          status: { phase: 'Pending' },
        },
      ],
      template: templateDefaults,
    }),
  ],
  [
    'Job',
    {},
    specOf({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
      template: templateDefaults,
    }),
  ],
  [
    'Job',
    specOf({
      parallelism: 2,
      backoffLimitPerIndex: 1,
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'X' }] }] },
    }),
    specOf({
      parallelism: 2,
      backoffLimitPerIndex: 1,
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'X', status: 'True' }] }] },
      backoffLimit: 2_147_483_647,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'Failed',
      manualSelector: false,
      template: templateDefaults,
    }),
  ],
  [
    'CronJob',
    {},
    specOf({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: {}, spec: { template: templateDefaults } },
    }),
  ],
];

testDefaults('defaults of workloads', rows);
