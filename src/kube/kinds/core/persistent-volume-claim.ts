import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { PersistentVolumeClaim } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { accessModesText } from './access-modes.ts';
import { setClaimSpecDefaults } from './volume-defaults.ts';
import { isEqualJson } from '#base/json.ts';
import { compareQuantities } from '#formats/quantity.ts';
import { forbidden } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { claimSpecFaults } from '../../validation/pod/claim.ts';
import { differenceText } from '../../validation/pod/difference.ts';
import { quantityOf } from '../../validation/resources.ts';

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
  validate,
});

function isBound(spec: PersistentVolumeClaim['spec']): boolean {
  return (spec?.volumeName ?? '') !== '';
}

function setDefaults(object: PersistentVolumeClaim): void {
  setClaimSpecDefaults((object.spec ??= {}));
}

function* validate({ spec = {}, status }: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined): Faults {
  yield* claimSpecFaults(spec, 'spec');
  if (old === undefined) return;
  const before = old.spec ?? {};
  const isBoundNow = status?.phase === 'Bound';
  const comparable = comparableSpec(spec, before, isBoundNow);
  if (!isEqualJson(comparable, before))
    yield forbidden(
      'spec',
      `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${differenceText(before, comparable)}`,
    );
  yield* shrinkFaults(spec, old);
}

/** The spec with all that may change set back. */
function comparableSpec(spec: Spec, before: Spec, isBoundNow: boolean): Spec {
  const result = { ...spec };
  // The volume is set once, by whoever binds; a class can be given to what has none.
  if ((before.volumeName ?? '') === '') delete result.volumeName;
  if (before.volumeName !== undefined && result.volumeName === undefined) result.volumeName = before.volumeName;
  if (before.storageClassName === undefined) delete result.storageClassName;
  if (!isBoundNow) return result;
  const { storage } = before.resources?.requests ?? {};
  if (storage !== undefined)
    result.resources = { ...spec.resources, requests: { ...spec.resources?.requests, storage } };
  if (before.volumeAttributesClassName === undefined) delete result.volumeAttributesClassName;
  else result.volumeAttributesClassName = before.volumeAttributesClassName;
  return result;
}

function* shrinkFaults(spec: Spec, old: PersistentVolumeClaim): Faults {
  const [size, before] = [spec, old.spec ?? {}].map(({ resources }) => quantityOf(resources?.requests?.['storage']));
  const capacity = quantityOf(old.status?.capacity?.['storage']);
  if (size === undefined || before === undefined || compareQuantities(size, before) >= 0) return;
  // What failed to grow can be set back to what it is.
  if (capacity === undefined || compareQuantities(size, capacity) <= 0)
    yield forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity');
}

type Spec = NonNullable<PersistentVolumeClaim['spec']>;
