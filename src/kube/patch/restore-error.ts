import { isObject } from '#base/json.ts';

import { goTypeName } from '../codec/go-type-name.ts';
import type { ScalarSchema, Schema } from '../schema.ts';

/** Kinds of Go's values that a decoded JSON value has (reflect.Kind). */
type GoKind = 'string' | 'bool' | 'int64' | 'float64' | 'slice' | 'map';

/**
 * Why a value cannot become one of the type, in the words of Go's converter between maps and structs (apimachinery,
 * runtime/converter.go), which strategic merge patches go through; the first in the order of the type's fields. Undefined:
 * it has nothing against it, or leaves it to the type's own decoder.
 */
export function restoreError(value: unknown, schema: Schema): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (schema.type) {
    case 'struct':
      if (!isObject(value)) return `cannot restore struct from: ${kindOf(value)}`;
      return first(schema.fields, ([name, field]) => restoreError(value[name], field.schema));
    case 'map':
      if (!isObject(value)) return `cannot restore map from ${kindOf(value)}`;
      return first(Object.values(value), (one) => restoreError(one, schema.values));
    case 'list':
      if (!Array.isArray(value)) return `cannot restore slice from ${kindOf(value)}`;
      return first(value as unknown[], (one) => restoreError(one, schema.items));
    case 'scalar':
      return scalarError(kindOf(value), schema);
    default:
      return undefined;
  }
}

/** Go's kinds of the scalars that have no decoder of their own. */
const targets: Readonly<Partial<Record<ScalarSchema['scalar'], string>>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  boolean: 'bool',
};

function scalarError(kind: GoKind, schema: ScalarSchema): string | undefined {
  const target = targets[schema.scalar];
  if (schema.scalar === 'bytes') return kind === 'string' ? undefined : `cannot restore slice from ${kind}`;
  if (target === undefined) return undefined;
  const isNumber = kind === 'int64' || kind === 'float64';
  const isNumeric = target !== 'string' && target !== 'bool';
  if (kind === target || (isNumber && isNumeric)) return undefined;
  // Go could make a text of a whole number, but JSON does not.
  if (kind === 'int64' && target === 'string') return `cannot convert int64 to ${goTypeName(schema)}`;
  return `unrecognized type: ${target}`;
}

function kindOf(value: unknown): GoKind {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : 'map';
}

function first<T>(values: Iterable<T>, errorOf: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const error = errorOf(value);
    if (error !== undefined) return error;
  }
  return undefined;
}
