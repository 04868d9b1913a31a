import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { StorageClass } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';
import { isEqualJson } from '#base/json.ts';
import { forbidden, invalid, invalids, required } from '../../validation/faults.ts';
import { qualifiedNameFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { choiceFaults, oneOfFaults } from '../../validation/values.ts';

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('Provisioner', 'Who makes the volumes.', ({ provisioner }) => provisioner ?? ''),
    text(
      'ReclaimPolicy',
      'What happens to volumes after their claims.',
      ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    ),
    text(
      'VolumeBindingMode',
      'When volumes are made and bound.',
      ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    ),
    text(
      'AllowVolumeExpansion',
      'Whether volumes can grow.',
      ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    ),
    ageColumn,
  ],
  setDefaults,
  validate,
});

function setDefaults(object: StorageClass): void {
  object.reclaimPolicy ??= 'Delete';
  object.volumeBindingMode ??= 'Immediate';
}

function* validate(object: StorageClass, old: StorageClass | undefined): Faults {
  const { provisioner = '' } = object;
  if (provisioner === '') yield required('provisioner');
  else yield* invalids('provisioner', provisioner, qualifiedNameFaults(provisioner.toLowerCase()));
  for (const key of Object.keys(object.parameters ?? {}))
    if (key === '') yield invalid('parameters', key, 'field can not be empty.');
  yield* choiceFaults('reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain']);
  yield* oneOfFaults('volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']);
  if (old === undefined) return;
  for (const field of ['parameters', 'provisioner'] as const)
    if (!isEqualJson(object[field], old[field])) yield forbidden(field, `updates to ${field} are forbidden.`);
  yield* immutable('reclaimPolicy', object.reclaimPolicy, old.reclaimPolicy);
  yield* immutable('volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode);
}
