import { malformed, WireReader, wireTypes } from '#formats/protobuf/wire.ts';

import type { AnySchema, Field, ListSchema, ScalarSchema, Schema, StructSchema } from '../schema.ts';
import { timeText } from './go-time.ts';
import { wholeNumber, parseJson, plainValue, setField } from './json-text.ts';
import { durationText } from './read-scalar.ts';
import { schemaOfSchemas } from './schema-unions.ts';

/** Messages within messages; no kind comes near it but schemas of custom resources. */
const maximumDepth = 500;

/** The fields of a message as JSON has them, zero values and all; `readObject` makes the rest of it. */
export function decodeFields(bytes: Uint8Array, schema: StructSchema): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  decodeInto(object, new WireReader(bytes), fieldTree(schema), maximumDepth);
  return object;
}

/** Fields by number; where a struct is inlined, those of its own. */
type FieldTree = Map<number, FieldTree | { readonly name: string; readonly field: Field }>;

const known = new WeakMap<StructSchema, FieldTree>();

function fieldTree(schema: StructSchema): FieldTree {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const tree: FieldTree = new Map();
  for (const [name, field] of schema.fields) {
    const path = [...(field.go?.path ?? [])];
    const last = path.pop();
    if (last === undefined) continue;
    let at = tree;
    for (const number of path) {
      const next = at.get(number);
      const inner: FieldTree = next instanceof Map ? next : new Map();
      at.set(number, inner);
      at = inner;
    }
    at.set(last, { name, field });
  }
  known.set(schema, tree);
  return tree;
}

function decodeInto(object: Record<string, unknown>, reader: WireReader, tree: FieldTree, depth: number): void {
  if (depth === 0) throw malformed('it is nested too deeply');
  while (!reader.isAtEnd) {
    const tag = reader.varint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (number === 0) throw malformed('a field has the number 0');
    const entry = tree.get(number);
    if (entry === undefined) reader.skip(wireType);
    else if (entry instanceof Map) decodeInto(object, new WireReader(bytesOf(reader, wireType)), entry, depth - 1);
    else decodeField(object, entry, reader, wireType, depth);
  }
}

function decodeField(
  object: Record<string, unknown>,
  { name, field: { schema } }: { readonly name: string; readonly field: Field },
  reader: WireReader,
  wireType: number,
  depth: number,
): void {
  if (schema.type === 'list' && schema.isWrapped !== true) {
    const items = (object[name] ??= []) as unknown[];
    items.push(...decodeItems(schema, reader, wireType, depth));
  } else if (schema.type === 'map') {
    const entries = (object[name] ??= {}) as Record<string, unknown>;
    const [key, value] = decodeEntry(schema.values, bytesOf(reader, wireType), depth);
    setField(entries, key, value);
  } else if (schema.type === 'struct' && object[name] !== undefined) {
    // A message that comes in several parts is one.
    decodeInto(
      object[name] as Record<string, unknown>,
      new WireReader(bytesOf(reader, wireType)),
      fieldTree(schema),
      depth - 1,
    );
  } else object[name] = decodeValue(schema, reader, wireType, depth);
}

function decodeItems({ items }: ListSchema, reader: WireReader, wireType: number, depth: number): readonly unknown[] {
  const isNumber = items.type === 'scalar' && ['int32', 'int64', 'boolean'].includes(items.scalar);
  if (!isNumber || wireType !== wireTypes.bytes) return [decodeValue(items, reader, wireType, depth)];
  const packed = new WireReader(reader.bytes());
  const values: unknown[] = [];
  while (!packed.isAtEnd) values.push(decodeValue(items, packed, wireTypes.varint, depth));
  return values;
}

function decodeEntry(schema: Schema, bytes: Uint8Array, depth: number): [string, unknown] {
  if (depth === 0) throw malformed('it is nested too deeply');
  const reader = new WireReader(bytes);
  let key = '';
  let value: unknown = null;
  while (!reader.isAtEnd) {
    const tag = reader.varint32();
    if (tag >>> 3 === 1) key = textOf(bytesOf(reader, tag & 7));
    else if (tag >>> 3 === 2) value = decodeValue(schema, reader, tag & 7, depth - 1);
    else reader.skip(tag & 7);
  }
  return [key, value];
}

function decodeValue(schema: Schema, reader: WireReader, wireType: number, depth: number): unknown {
  switch (schema.type) {
    case 'struct': {
      const object: Record<string, unknown> = {};
      decodeInto(object, new WireReader(bytesOf(reader, wireType)), fieldTree(schema), depth - 1);
      return object;
    }
    case 'list': {
      const holder: Record<string, unknown> = {};
      const items = new Map([[1, { name: 'items', field: bareField({ ...schema, isWrapped: false }) }]]);
      decodeInto(holder, new WireReader(bytesOf(reader, wireType)), items, depth - 1);
      return holder['items'] ?? [];
    }
    case 'map':
      throw malformed('a map stands where none can be');
    case 'any':
      return decodeAny(schema.goType, bytesOf(reader, wireType), depth);
    default:
      return decodeScalar(schema, reader, wireType);
  }
}

function decodeScalar({ scalar }: ScalarSchema, reader: WireReader, wireType: number): unknown {
  switch (scalar) {
    case 'string':
      return textOf(bytesOf(reader, wireType));
    case 'bytes':
      return Buffer.from(bytesOf(reader, wireType)).toString('base64');
    case 'int32':
      return Number(BigInt.asIntN(32, varintOf(reader, wireType)));
    case 'int64':
      return wholeNumber(String(BigInt.asIntN(64, varintOf(reader, wireType))));
    case 'boolean':
      return varintOf(reader, wireType) !== 0n;
    case 'double':
      if (wireType !== wireTypes.fixed64) throw wrongWireType(wireType);
      return reader.double();
    default:
      return decodeScalarMessage(scalar, numbersAndTexts(bytesOf(reader, wireType)));
  }
}

/** Times, quantities and others are messages of one to three plain fields. */
function decodeScalarMessage(scalar: ScalarSchema['scalar'], parts: ReadonlyMap<number, bigint | string>): unknown {
  const number = (index: number): number => Number(BigInt.asIntN(64, asBigint(parts.get(index))));
  switch (scalar) {
    case 'quantity':
      return String(parts.get(1) ?? '0');
    case 'int-or-string':
      return number(1) === 0 ? number(2) | 0 : String(parts.get(3) ?? '');
    case 'duration':
      return durationText(number(1));
    case 'time':
    case 'micro-time':
      // No bytes at all are Go's zero time, which JSON has as null.
      return parts.size === 0 ? null : timeText(number(1), number(2), scalar);
    default:
      throw malformed(`${scalar} is no message`);
  }
}

function numbersAndTexts(bytes: Uint8Array): ReadonlyMap<number, bigint | string> {
  const parts = new Map<number, bigint | string>();
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint32();
    const wireType = tag & 7;
    if (wireType === wireTypes.varint) parts.set(tag >>> 3, reader.varint());
    else if (wireType === wireTypes.bytes) parts.set(tag >>> 3, textOf(reader.bytes()));
    else reader.skip(wireType);
  }
  return parts;
}

const schemaOr = { schema: 1, other: 2 } as const;

function decodeAny(goType: AnySchema['goType'], bytes: Uint8Array, depth: number): unknown {
  if (depth === 0) throw malformed('it is nested too deeply');
  const reader = new WireReader(bytes);
  const schemas: unknown[] = [];
  const texts: string[] = [];
  let allows: boolean | undefined;
  let raw: Uint8Array | undefined;
  const isBool = goType === 'SchemaOrBool';
  const schemaField = isBool ? 2 : schemaOr.schema;
  const isUnion = goType === 'SchemaOrArray' || goType === 'SchemaOrStrings' || isBool;
  let isList = false;
  while (!reader.isAtEnd) {
    const tag = reader.varint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (!isUnion && number === 1) raw = bytesOf(reader, wireType);
    else if (isBool && number === 1) allows = varintOf(reader, wireType) !== 0n;
    else if (isUnion && number === schemaField) schemas.push(schemaAt(reader, wireType, depth));
    else if (goType === 'SchemaOrArray' && number === schemaOr.other) {
      isList = true;
      schemas.push(schemaAt(reader, wireType, depth));
    } else if (goType === 'SchemaOrStrings' && number === schemaOr.other) texts.push(textOf(bytesOf(reader, wireType)));
    else reader.skip(wireType);
  }
  if (isList) return schemas;
  if (isUnion) return schemas[0] ?? (isBool ? (allows ?? false) : texts);
  return raw === undefined || raw.length === 0 ? null : plainValue(parseJson(textOf(raw)).value);
}

function schemaAt(reader: WireReader, wireType: number, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  decodeInto(object, new WireReader(bytesOf(reader, wireType)), fieldTree(schemaOfSchemas()), depth - 1);
  return object;
}

function bareField(schema: Schema): Field {
  return { schema, isRequired: false, defaultValue: undefined, isNullable: false, patch: undefined };
}

function bytesOf(reader: WireReader, wireType: number): Uint8Array {
  if (wireType !== wireTypes.bytes) throw wrongWireType(wireType);
  return reader.bytes();
}

function varintOf(reader: WireReader, wireType: number): bigint {
  if (wireType !== wireTypes.varint) throw wrongWireType(wireType);
  return reader.varint();
}

function wrongWireType(wireType: number): Error {
  return malformed(`wire type ${String(wireType)} is not that of its field`);
}

function asBigint(value: bigint | string | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
