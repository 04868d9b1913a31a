import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { PersistentVolume } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { accessModesText } from './access-modes.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const columns: readonly Column<PersistentVolume>[] = [
  nameColumn,
  text('Capacity', 'Size.', ({ spec }) => spec?.capacity?.['storage'] ?? '0'),
  text('Access Modes', 'How it can be mounted.', ({ spec }) => accessModesText(spec?.accessModes)),
  text(
    'Reclaim Policy',
    'What happens to it after its claim.',
    ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
  ),
  text('Status', 'Phase.', ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Claim', 'The claim it is bound to.', ({ spec }) =>
    spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
  ),
  text(
    'StorageClass',
    'Class it belongs to.',
    ({ metadata, spec }) => metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
  ),
  text('VolumeAttributesClass', 'Class of its attributes.', ({ spec }) => spec?.volumeAttributesClassName ?? unset),
  text('Reason', 'Why it is in this phase.', ({ status }) => status?.reason ?? ''),
  ageColumn,
  wide(text('VolumeMode', 'Filesystem or Block.', ({ spec }) => spec?.volumeMode ?? unset)),
];

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  scope: 'Cluster',
  columns,
  initialStatus: { phase: 'Pending' },
  setDefaults,
});

function setDefaults({ spec = {} }: PersistentVolume): void {
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  if (spec.iscsi !== undefined) spec.iscsi.iscsiInterface ||= 'default';
}
