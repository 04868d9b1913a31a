import { ageColumn, flag, nameColumn, text } from '../../printing/columns.ts';
import type { VolumeAttachment } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';
import { forbidden, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  needsRevision: true,
  scope: 'Cluster',
  columns: [
    nameColumn,
    {
      ...text('Attacher', 'Driver that attaches.', ({ spec }: VolumeAttachment) => spec?.attacher ?? ''),
      format: 'name',
    },
    text('PV', 'Volume.', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    text('Node', 'Node.', ({ spec }) => spec?.nodeName ?? ''),
    flag('Attached', 'Whether it is attached.', ({ status }) => status?.attached ?? false),
    ageColumn,
  ],
  initialStatus: { attached: false },
  validate,
});

function* validate({ spec = {} }: VolumeAttachment, old: VolumeAttachment | undefined): Faults {
  const { attacher = '', nodeName = '', source = {} } = spec;
  if (attacher === '') yield required('spec.attacher');
  if (nodeName === '') yield required('spec.nodeName');
  const { persistentVolumeName: name, inlineVolumeSpec: inline } = source;
  if (name === undefined && inline === undefined)
    yield required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName');
  if (name !== undefined && inline !== undefined)
    yield forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName');
  if (name === '') yield required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName');
  if (old !== undefined) yield* immutable('spec', spec, old.spec);
}
