import { ageColumn, flag, nameColumn, text } from '../../printing/columns.ts';
import type { VolumeAttachment } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
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
});
