import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { ConfigMap } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { isEqualJson } from '#base/json.ts';
import type { Resource } from '../../resource.ts';
import { forbidden, invalid, tooLong } from '../../validation/faults.ts';
import { byteLength } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { dataKeyFaults } from '../../validation/pod/volumes.ts';

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
  validate,
});

/** One mebibyte for all values of a ConfigMap or Secret. */
export const dataBytesMost = 1024 * 1024;

function* validate(object: ConfigMap, old: ConfigMap | undefined): Faults {
  const { data = {}, binaryData = {} } = object;
  yield* lockedFaults(object, old, ['data', 'binaryData']);
  yield* dataKeyFaults(Object.keys(data), 'data');
  for (const key of Object.keys(data))
    if (Object.hasOwn(binaryData, key)) yield invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
  yield* dataKeyFaults(Object.keys(binaryData), 'binaryData');
  const text = Object.values(data).reduce((sum, value) => sum + byteLength(value), 0);
  const binary = Object.values(binaryData).reduce((sum, value) => sum + base64Length(value), 0);
  if (text + binary > dataBytesMost) yield tooLong('', dataBytesMost);
}

/** What is marked as immutable stays as it is. */
export function* lockedFaults<R extends Resource & { immutable?: boolean }>(
  object: R,
  old: R | undefined,
  fields: readonly (keyof R & string)[],
): Faults {
  if (old?.immutable !== true) return;
  const why = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) yield forbidden('immutable', why);
  for (const field of fields) if (!isEqualJson(object[field] ?? {}, old[field] ?? {})) yield forbidden(field, why);
}

/** Bytes that a text in base64 stands for. */
export function base64Length(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}
