import { ageColumn, count, nameColumn, text } from '../../printing/columns.ts';
import type { Secret } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { isObject } from '#base/json.ts';
import { invalid, required, tooLong } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { dataKeyFaults } from '../../validation/pod/volumes.ts';
import { base64Length, dataBytesMost, lockedFaults } from './config-map.ts';

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
  validate,
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

function* validate(object: Secret, old: Secret | undefined): Faults {
  const { data = {}, type, metadata } = object;
  if (old !== undefined) yield* immutable('type', type, old.type);
  yield* lockedFaults(object, old, ['data']);
  yield* dataKeyFaults(Object.keys(data), 'data');
  const size = Object.values(data).reduce((sum, value) => sum + base64Length(value), 0);
  if (size > dataBytesMost) yield tooLong('data', dataBytesMost);
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[accountAnnotation])
    yield required(`metadata.annotations[${accountAnnotation}]`);
  yield* typedFaults(type ?? '', data);
}

const accountAnnotation = 'kubernetes.io/service-account.name';

/** Keys that secrets of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function* typedFaults(type: string, data: Readonly<Record<string, string>>): Faults {
  const isEmptyAllowed = type !== 'kubernetes.io/ssh-auth';
  for (const key of requiredKeys[type] ?? []) {
    const value = data[key];
    if (value === undefined || (value === '' && !isEmptyAllowed)) yield required(`data[${key}]`);
    else if (key.startsWith('.docker') && !isJsonObject(value))
      yield invalid(`data[${key}]`, '<secret contents redacted>', 'must be a JSON object');
  }
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    yield required('data[username]');
    yield required('data[password]');
  }
}

function isJsonObject(base64: string): boolean {
  try {
    return isObject(JSON.parse(atob(base64)));
  } catch {
    return false;
  }
}
