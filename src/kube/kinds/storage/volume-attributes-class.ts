import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { VolumeAttributesClass } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  scope: 'Cluster',
  columns: [nameColumn, text('DriverName', 'Driver of the volumes.', ({ driverName }) => driverName ?? ''), ageColumn],
});
