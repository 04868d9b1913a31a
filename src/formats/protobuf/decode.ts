import { textOfBytes } from '../byte-text.ts';
import type { Decoded, Field, FieldType, Message, Scalar } from './message.ts';
import { malformed, WireReader, wireTypes } from './wire.ts';

/** Messages within messages; deeper ones are refused. */
const maximumDepth = 64;

/**
 * Decodes a message (proto3). Fields that the table does not have are skipped; of a field that should be there once the
 * last one counts. Text that is not UTF-8 lives on as in `byte-text`. Bytes are parts of the input, not copies. Throws
 * InvalidArgument.
 */
export function decodeMessage<M extends Message>(schema: M, bytes: Uint8Array): Decoded<M> {
  return decode(schema, bytes, maximumDepth) as Decoded<M>;
}

function decode({ fields }: Message, bytes: Uint8Array, depth: number): unknown {
  if (depth === 0) throw malformed('it is nested too deeply');
  const entries = Object.entries(fields);
  const values = new Map(entries.map(([name, field]) => [name, emptyValue(field)]));
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const reader = new WireReader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (number === 0) throw malformed('a field has the number 0');
    const known = byNumber.get(number);
    if (known === undefined) {
      reader.skip(wireType);
      continue;
    }
    const { name, field } = known;
    const before = values.get(name);
    if (Array.isArray(before)) before.push(...repeated(field.type, reader, wireType, depth));
    else if (before instanceof Map) before.set(...mapEntry(field.type, reader, wireType, depth));
    else values.set(name, single(field.type, reader, wireType, depth));
  }
  return Object.fromEntries(values);
}

function emptyValue({ type, cardinality }: Field): unknown {
  if (cardinality === 'many') return [];
  if (cardinality === 'map') return new Map();
  return typeof type === 'string' ? zeroOf(type) : undefined;
}

function zeroOf(type: Scalar): unknown {
  switch (type) {
    case 'string':
      return '';
    case 'bytes':
      return new Uint8Array();
    case 'bool':
      return false;
    case 'int64':
    case 'uint64':
      return 0n;
    default:
      return 0;
  }
}

/** Numbers that repeat come packed into one record, or as a record each. */
function repeated(type: FieldType, reader: WireReader, wireType: number, depth: number): readonly unknown[] {
  if (wireType !== wireTypes.bytes || wireTypeOf(type) === wireTypes.bytes)
    return [single(type, reader, wireType, depth)];
  const packed = new WireReader(reader.bytes());
  const values: unknown[] = [];
  while (!packed.isAtEnd) values.push(single(type, packed, wireTypeOf(type), depth));
  return values;
}

/** An entry of a map is a message with the key as field 1 and the value as field 2. */
function mapEntry(type: FieldType, reader: WireReader, wireType: number, depth: number): [string, unknown] {
  expect(wireType, wireTypes.bytes);
  const fields = {
    key: { number: 1, type: 'string', cardinality: 'one' },
    value: { number: 2, type, cardinality: 'one' },
  } as const;
  const { key, value } = decode({ fields }, reader.bytes(), depth - 1) as { key: string; value: unknown };
  return [key, value ?? decode(type as Message, new Uint8Array(), depth - 1)];
}

function single(type: FieldType, reader: WireReader, wireType: number, depth: number): unknown {
  expect(wireType, wireTypeOf(type));
  switch (type) {
    case 'string':
      return textOfBytes(reader.bytes());
    case 'bytes':
      return reader.bytes();
    case 'bool':
      return reader.varint() !== 0n;
    case 'int32':
      return reader.varint32() | 0;
    case 'uint32':
      return reader.varint32();
    case 'int64':
      return BigInt.asIntN(64, reader.varint());
    case 'uint64':
      return reader.varint();
    case 'double':
      return reader.double();
    default:
      return decode(type, reader.bytes(), depth - 1);
  }
}

function expect(wireType: number, wanted: number): void {
  if (wireType !== wanted) throw malformed(`wire type ${String(wireType)} is not that of its field`);
}

/** How values of a type are written. */
export function wireTypeOf(type: FieldType): number {
  if (typeof type !== 'string' || type === 'string' || type === 'bytes') return wireTypes.bytes;
  return type === 'double' ? wireTypes.fixed64 : wireTypes.varint;
}
