import type { Field, Schema, StructSchema } from '../schema.ts';

/** What Go writes for a value that was never set; undefined: nothing that we write. */
export function zeroValue(schema: Schema): unknown {
  switch (schema.type) {
    case 'struct':
      return emptyStruct(schema, {});
    case 'map':
      return {};
    case 'list':
      return [];
    case 'scalar':
      return zeroScalars[schema.scalar];
    default:
      return null;
  }
}

const zeroScalars = {
  string: '',
  bytes: '',
  int32: 0,
  int64: 0,
  double: 0,
  boolean: false,
  quantity: '0',
  'int-or-string': 0,
  time: null,
  'micro-time': null,
  duration: '0s',
} as const;

/** Whether Go leaves the value out (`omitempty`): empty text, zero, false, empty list or map; never structs or pointers. */
export function isLeftOut(value: unknown, { schema, go }: Field): boolean {
  if (go === undefined || go.isPointer) return false;
  if (go.omitsZero && (value === null || (schema.type === 'struct' && isEmptyRecord(value)))) return true;
  if (!go.omitsEmpty) return false;
  switch (schema.type) {
    case 'scalar':
      return value === '' || value === 0 || value === false;
    case 'list':
      return (value as readonly unknown[]).length === 0;
    case 'map':
      return isEmptyRecord(value);
    default:
      return false;
  }
}

/**
 * Adds what Go's type always has to a struct: structs and quantities that are no pointers, and zero values of fields without
 * `omitempty`. Lists, maps and times that it would write as null are not added.
 */
export function emptyStruct(schema: StructSchema, object: Record<string, unknown>): Record<string, unknown> {
  for (const [name, make] of alwaysThere(schema)) if (!Object.hasOwn(object, name)) object[name] = make();
  return object;
}

const known = new WeakMap<StructSchema, readonly (readonly [string, () => unknown])[]>();

function alwaysThere(schema: StructSchema): readonly (readonly [string, () => unknown])[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const made = [...schema.fields]
    .filter(([, field]) => isAlwaysThere(field))
    .map(([name, field]) => [name, () => zeroValue(field.schema)] as const);
  known.set(schema, made);
  return made;
}

function isAlwaysThere({ schema, go }: Field): boolean {
  if (go === undefined || go.isPointer || go.omitsZero) return false;
  if (schema.type === 'struct') return true;
  if (schema.type !== 'scalar') return false;
  if (schema.scalar === 'quantity') return true;
  return !go.omitsEmpty && !['time', 'micro-time', 'int-or-string', 'duration', 'bytes'].includes(schema.scalar);
}

function isEmptyRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
