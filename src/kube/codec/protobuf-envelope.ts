import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { message, one } from '#formats/protobuf/message.ts';

import type { StructSchema } from '../schema.ts';
import { badRequest } from '../status.ts';
import { decodeFields } from './protobuf-decode.ts';
import { encodeFields } from './protobuf-encode.ts';
import { readObject } from './read-object.ts';

/** The four bytes before each object, `k8s` and zero (apimachinery, serializer/protobuf). */
const prefix = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

const typeMeta = message({ apiVersion: one(1, 'string'), kind: one(2, 'string') });
/** runtime.Unknown: an object's kind and its bytes. */
const unknown = message({
  typeMeta: one(1, typeMeta),
  raw: one(2, 'bytes'),
  contentEncoding: one(3, 'string'),
  contentType: one(4, 'string'),
});

export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}

/** An object of a built-in kind, as its JSON is. Throws InvalidArgument or BadRequest. */
export function decodeProtobuf(bytes: Uint8Array, schema: StructSchema): Record<string, unknown> {
  const { typeMeta: kind, raw, contentEncoding } = decodeMessage(unknown, bytes.subarray(prefix.length));
  if (contentEncoding !== '')
    throw badRequest(`the object is encoded with ${JSON.stringify(contentEncoding)}; send it as it is`);
  const value = decodeFields(raw, schema);
  if (schema.fields.get('kind')?.go?.path.length === 0) {
    if (kind !== undefined && kind.apiVersion !== '') value['apiVersion'] = kind.apiVersion;
    if (kind !== undefined && kind.kind !== '') value['kind'] = kind.kind;
  }
  return readObject(value, schema).object;
}

/** An object of a built-in kind in protobuf; what its schema does not know is left out. */
export function encodeProtobuf(object: Readonly<Record<string, unknown>>, schema: StructSchema): Uint8Array {
  const text = (name: string): string => (typeof object[name] === 'string' ? object[name] : '');
  const envelope = encodeMessage(unknown, {
    typeMeta: { apiVersion: text('apiVersion'), kind: text('kind') },
    raw: encodeFields(object, schema),
  });
  return Buffer.concat([prefix, envelope]);
}
