import { nameColumn, text } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { CSIStorageCapacity } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';

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
});
