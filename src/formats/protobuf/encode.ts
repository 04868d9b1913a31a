import { bytesOfText } from '../byte-text.ts';
import { wireTypeOf } from './decode.ts';
import type { Encodable, Field, FieldType, Message } from './message.ts';
import { WireWriter, wireTypes } from './wire.ts';

/** Encodes a message (proto3): zero values are left out, in lists and maps they are written. */
export function encodeMessage<M extends Message>(schema: M, value: Encodable<M>): Uint8Array {
  return encode(schema, value);
}

function encode({ fields }: Message, value: Readonly<Record<string, unknown>>): Uint8Array {
  const writer = new WireWriter();
  for (const [name, field] of Object.entries(fields)) {
    const given = value[name];
    if (given !== undefined) writeField(writer, field, given);
  }
  return writer.finish();
}

function writeField(writer: WireWriter, { number, type, cardinality }: Field, given: unknown): void {
  if (cardinality === 'many') return writeList(writer, number, type, given as readonly unknown[]);
  if (cardinality === 'map') {
    for (const [key, value] of given as Iterable<readonly [string, unknown]>) {
      const entry = new WireWriter();
      writeValue(entry, 1, 'string', key);
      writeValue(entry, 2, type, value);
      writer.tag(number, wireTypes.bytes);
      writer.bytes(entry.finish());
    }
    return;
  }
  if (!isZero(given)) writeValue(writer, number, type, given);
}

/** Numbers are packed into one record. */
function writeList(writer: WireWriter, number: number, type: FieldType, values: readonly unknown[]): void {
  if (wireTypeOf(type) === wireTypes.bytes) {
    for (const value of values) writeValue(writer, number, type, value);
    return;
  }
  if (values.length === 0) return;
  const packed = new WireWriter();
  for (const value of values) writeBare(packed, type, value);
  writer.tag(number, wireTypes.bytes);
  writer.bytes(packed.finish());
}

function isZero(value: unknown): boolean {
  return value === '' || value === false || value === 0n || Object.is(value, 0) || isEmptyBytes(value);
}

function isEmptyBytes(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 0;
}

function writeValue(writer: WireWriter, number: number, type: FieldType, value: unknown): void {
  writer.tag(number, wireTypeOf(type));
  writeBare(writer, type, value);
}

function writeBare(writer: WireWriter, type: FieldType, value: unknown): void {
  switch (type) {
    case 'string':
      return writer.bytes(bytesOfText(value as string));
    case 'bytes':
      return writer.bytes(value as Uint8Array);
    case 'bool':
      return writer.varint(value === true ? 1n : 0n);
    case 'int32':
    case 'uint32':
      return writer.varint(BigInt(value as number));
    case 'int64':
    case 'uint64':
      return writer.varint(value as bigint);
    case 'double':
      return writer.double(value as number);
    default:
      return writer.bytes(encode(type, value as Readonly<Record<string, unknown>>));
  }
}
