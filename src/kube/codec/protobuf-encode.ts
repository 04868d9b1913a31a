import { goDurationNs } from '#formats/go-duration.ts';
import { WireWriter, wireTypes } from '#formats/protobuf/wire.ts';

import type { AnySchema, Schema, ScalarSchema, StructSchema } from '../schema.ts';
import { schemaOfSchemas } from './schema-unions.ts';

/** An object's fields as a message. Values must be of their types: whatever `readObject` gives is. */
export function encodeFields(object: Readonly<Record<string, unknown>>, schema: StructSchema): Uint8Array {
  const root: Node = { writer: new WireWriter(), inner: new Map() };
  for (const [name, field] of schema.fields) {
    const value = object[name];
    const path = field.go?.path ?? [];
    const number = path.at(-1);
    if (value === undefined || value === null || number === undefined) continue;
    writeField(nodeAt(root, path.slice(0, -1)).writer, number, field.schema, value);
  }
  return finish(root);
}

/** A message that is being written, with the messages of inlined structs, which are whole only at the end. */
interface Node {
  readonly writer: WireWriter;
  readonly inner: Map<number, Node>;
}

function nodeAt(root: Node, path: readonly number[]): Node {
  let at = root;
  for (const number of path) {
    const next = at.inner.get(number) ?? { writer: new WireWriter(), inner: new Map() };
    at.inner.set(number, next);
    at = next;
  }
  return at;
}

function finish({ writer, inner }: Node): Uint8Array {
  for (const [number, node] of inner) writeBytes(writer, number, finish(node));
  return writer.finish();
}

function writeField(writer: WireWriter, number: number, schema: Schema, value: unknown): void {
  if (schema.type === 'list' && schema.isWrapped !== true) {
    for (const item of value as readonly unknown[]) writeValue(writer, number, schema.items, item);
  } else if (schema.type === 'map') {
    for (const [key, part] of Object.entries(value as object)) {
      const entry = new WireWriter();
      writeBytes(entry, 1, Buffer.from(key));
      writeValue(entry, 2, schema.values, part);
      writeBytes(writer, number, entry.finish());
    }
  } else writeValue(writer, number, schema, value);
}

function writeValue(writer: WireWriter, number: number, schema: Schema, value: unknown): void {
  switch (schema.type) {
    case 'struct':
      return writeBytes(writer, number, encodeFields(value as Record<string, unknown>, schema));
    case 'list': {
      const wrapper = new WireWriter();
      writeField(wrapper, 1, { ...schema, isWrapped: false }, value);
      return writeBytes(writer, number, wrapper.finish());
    }
    case 'map':
      return writeField(writer, number, schema, value);
    case 'any':
      return writeBytes(writer, number, encodeAny(schema.goType, value));
    case 'scalar':
      return writeScalar(writer, number, schema, value);
  }
}

function writeScalar(writer: WireWriter, number: number, { scalar }: ScalarSchema, value: unknown): void {
  switch (scalar) {
    case 'string':
      return writeBytes(writer, number, Buffer.from(value as string));
    case 'bytes':
      return writeBytes(writer, number, Buffer.from(value as string, 'base64'));
    case 'int32':
    case 'int64':
      return writeNumber(writer, number, BigInt(value as number));
    case 'boolean':
      return writeNumber(writer, number, value === true ? 1n : 0n);
    case 'double':
      writer.tag(number, wireTypes.fixed64);
      return writer.double(value as number);
    default:
      return writeBytes(writer, number, scalarMessage(scalar, value as string | number | null));
  }
}

function scalarMessage(scalar: ScalarSchema['scalar'], value: string | number | null): Uint8Array {
  const writer = new WireWriter();
  if (value === null) return writer.finish();
  switch (scalar) {
    case 'quantity':
      writeBytes(writer, 1, Buffer.from(String(value)));
      break;
    case 'int-or-string':
      writeNumber(writer, 1, typeof value === 'string' ? 1n : 0n);
      if (typeof value === 'string') writeBytes(writer, 3, Buffer.from(value));
      else writeNumber(writer, 2, BigInt(value));
      break;
    case 'duration':
      writeNumber(writer, 1, BigInt(goDurationNs(String(value)) ?? 0));
      break;
    default: {
      const milliseconds = Date.parse(String(value).replace(/\.\d+Z$/, 'Z'));
      const micros = /\.(\d{6})Z$/.exec(String(value))?.[1] ?? '0';
      writeNumber(writer, 1, BigInt(Math.floor(milliseconds / 1000)));
      writeNumber(writer, 2, BigInt(micros) * 1000n);
    }
  }
  return writer.finish();
}

function encodeAny(goType: AnySchema['goType'], value: unknown): Uint8Array {
  const writer = new WireWriter();
  const schema = (part: unknown): Uint8Array => encodeFields(part as Record<string, unknown>, schemaOfSchemas());
  switch (goType) {
    case 'SchemaOrBool':
      writeNumber(writer, 1, value === false ? 0n : 1n);
      if (typeof value === 'object') writeBytes(writer, 2, schema(value));
      break;
    case 'SchemaOrArray':
      if (Array.isArray(value)) for (const part of value) writeBytes(writer, 2, schema(part));
      else writeBytes(writer, 1, schema(value));
      break;
    case 'SchemaOrStrings':
      if (Array.isArray(value)) for (const part of value) writeBytes(writer, 2, Buffer.from(String(part)));
      else writeBytes(writer, 1, schema(value));
      break;
    default:
      writeBytes(writer, 1, Buffer.from(JSON.stringify(value)));
  }
  return writer.finish();
}

function writeBytes(writer: WireWriter, number: number, bytes: Uint8Array): void {
  writer.tag(number, wireTypes.bytes);
  writer.bytes(bytes);
}

function writeNumber(writer: WireWriter, number: number, value: bigint): void {
  writer.tag(number, wireTypes.varint);
  writer.varint(value);
}
