import { ageColumn, flag, nameColumn, text } from '../../printing/columns.ts';
import { none, unset } from '../../printing/labels.ts';
import type { CSIDriver } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  columns: [
    nameColumn,
    flag('AttachRequired', 'Whether volumes must be attached.', ({ spec }) => spec?.attachRequired ?? true),
    flag('PodInfoOnMount', 'Whether the driver gets to know the pod.', ({ spec }) => spec?.podInfoOnMount ?? false),
    flag('StorageCapacity', 'Whether it tells how much room there is.', ({ spec }) => spec?.storageCapacity ?? false),
    text(
      'TokenRequests',
      'Audiences of the tokens it gets.',
      ({ spec }) => spec?.tokenRequests?.map(({ audience = '' }) => audience).join(',') ?? unset,
    ),
    flag('RequiresRepublish', 'Whether it is called again and again.', ({ spec }) => spec?.requiresRepublish ?? false),
    text('Modes', 'Life of its volumes.', ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || none),
    ageColumn,
  ],
  setDefaults,
});

function setDefaults({ spec }: CSIDriver): void {
  if (spec === undefined) return;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}
