import { nameColumn, text } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { CSIStorageCapacity } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalid, invalids } from '../../validation/faults.ts';
import { subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { quantityOf } from '../../validation/resources.ts';
import { selectorFaults } from '../../validation/selectors.ts';

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  columns: [
    nameColumn,
    text('StorageClassName', 'Class that it is about.', ({ storageClassName }) => storageClassName ?? ''),
    text('Capacity', 'Room that is left.', ({ capacity }) => capacity ?? unset),
  ],
  validate,
});

function* validate(object: CSIStorageCapacity, old: CSIStorageCapacity | undefined): Faults {
  const { storageClassName = '' } = object;
  yield* invalids('storageClassName', storageClassName, subdomainFaults(storageClassName));
  for (const field of ['capacity', 'maximumVolumeSize'] as const)
    if ((quantityOf(object[field])?.nanos ?? 0n) < 0n)
      yield invalid(field, object[field], 'must be greater than or equal to 0');
  yield* selectorFaults(object.nodeTopology, 'nodeTopology');
  if (old === undefined) return;
  yield* immutable('nodeTopology', object.nodeTopology, old.nodeTopology);
  yield* immutable('storageClassName', object.storageClassName, old.storageClassName);
}
