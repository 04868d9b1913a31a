import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { templateColumns } from '../../printing/workload-columns.ts';
import type { StatefulSet } from '../../types/gen/apps-v1.ts';
import { defineKind, scale } from '../define-kind.ts';
import { setPodTemplateDefaults } from '../core/pod-defaults.ts';
import { setClaimSpecDefaults } from '../core/volume-defaults.ts';
import { statefulSetFaults } from './stateful-set-rules.ts';

export const statefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [scale],
  columns: [
    nameColumn,
    text(
      'Ready',
      'Pods that are ready, of those that there shall be.',
      ({ spec, status }) => `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`,
    ),
    ageColumn,
    ...templateColumns<StatefulSet>(({ spec }) => spec?.template?.spec),
  ],
  initialStatus: { replicas: 0, availableReplicas: 0 },
  generationOf: ['spec'],
  setDefaults,
  validate: statefulSetFaults,
});

function setDefaults(object: StatefulSet): void {
  const spec = (object.spec ??= {});
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.partition ??= 0;
  }
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= 'Retain';
  retention.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    Object.assign(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
    setClaimSpecDefaults((claim.spec ??= {}));
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
  setPodTemplateDefaults((spec.template ??= {}));
}
