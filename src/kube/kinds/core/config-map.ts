import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { ConfigMap } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  columns: [
    nameColumn,
    count(
      'Data',
      'How many keys there are.',
      ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ),
    ageColumn,
  ],
});
