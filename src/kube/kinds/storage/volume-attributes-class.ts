import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { VolumeAttributesClass } from '../../types/gen/storage-v1.ts';
import { defineKind } from '../define-kind.ts';
import { isEqualJson } from '#base/json.ts';
import { forbidden, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  scope: 'Cluster',
  columns: [nameColumn, text('DriverName', 'Driver of the volumes.', ({ driverName }) => driverName ?? ''), ageColumn],
  validate,
});

function* validate(
  { driverName = '', parameters = {} }: VolumeAttributesClass,
  old: VolumeAttributesClass | undefined,
): Faults {
  if (driverName === '') yield required('driverName');
  if (Object.keys(parameters).length === 0) yield required('parameters', 'must contain at least one key/value pair');
  if (old === undefined) return;
  if (driverName !== (old.driverName ?? '')) yield forbidden('driverName', 'updates to driverName are forbidden.');
  if (!isEqualJson(parameters, old.parameters ?? {}))
    yield forbidden('parameters', 'updates to parameters are forbidden.');
}
