import { ageColumn, flag, nameColumn, text } from '../../printing/columns.ts';
import { none, unset } from '../../printing/labels.ts';
import type { CSIDriver } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';
import { required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { choiceFaults } from '../../validation/values.ts';

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  needsRevision: true,
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
  validate,
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

function* validate({ spec = {} }: CSIDriver, old: CSIDriver | undefined): Faults {
  for (const field of ['attachRequired', 'podInfoOnMount', 'storageCapacity'] as const)
    if (spec[field] === undefined) yield required(`spec.${field}`);
  yield* choiceFaults('spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']);
  for (const mode of spec.volumeLifecycleModes ?? [])
    yield* choiceFaults('spec.volumeLifecycleModes', mode, ['Ephemeral', 'Persistent']);
  if (old === undefined) return;
  yield* immutable('spec.attachRequired', spec.attachRequired, old.spec?.attachRequired);
  yield* immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec?.volumeLifecycleModes);
}
