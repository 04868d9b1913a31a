import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { PersistentVolumeClaim } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { accessModesText } from './access-modes.ts';
import { setClaimSpecDefaults } from './volume-defaults.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

const columns: readonly Column<PersistentVolumeClaim>[] = [
  nameColumn,
  text('Status', 'Phase.', ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Volume', 'The volume it is bound to.', ({ spec }) => spec?.volumeName ?? ''),
  text('Capacity', 'Size of the volume.', ({ spec, status }) =>
    isBound(spec) ? (status?.capacity?.['storage'] ?? '0') : '',
  ),
  text('Access Modes', 'How it can be mounted.', ({ spec, status }) =>
    isBound(spec) ? accessModesText(status?.accessModes) : '',
  ),
  text(
    'StorageClass',
    'Class of the volumes it asks for.',
    ({ metadata, spec }) => metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
  ),
  text('VolumeAttributesClass', 'Class of its attributes.', ({ spec }) => spec?.volumeAttributesClassName ?? unset),
  ageColumn,
  wide(text('VolumeMode', 'Filesystem or Block.', ({ spec }) => spec?.volumeMode ?? unset)),
];

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  columns,
  initialStatus: { phase: 'Pending' },
  setDefaults,
});

function isBound(spec: PersistentVolumeClaim['spec']): boolean {
  return (spec?.volumeName ?? '') !== '';
}

function setDefaults(object: PersistentVolumeClaim): void {
  setClaimSpecDefaults((object.spec ??= {}));
}
