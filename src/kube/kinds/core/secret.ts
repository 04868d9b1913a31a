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
  setDefaults,
});

/** `stringData` is only for writing: it ends up in `data`. */
function setDefaults(object: Secret): void {
  object.type ||= 'Opaque';
  const { stringData } = object;
  if (stringData === undefined) return;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, base64Of(value)]);
  object.data = { ...object.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  delete object.stringData;
}

function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
