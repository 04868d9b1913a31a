import { ageColumn, count, nameColumn, text } from '../../printing/columns.ts';
import type { Secret } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  columns: [
    nameColumn,
    text('Type', 'What the secret is for.', ({ type }) => type ?? ''),
    count('Data', 'How many keys there are.', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
});
