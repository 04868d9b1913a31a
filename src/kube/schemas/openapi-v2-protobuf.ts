import { isObject } from '#base/json.ts';
import { bytesOfText } from '#formats/byte-text.ts';
import { WireWriter, wireTypes } from '#formats/protobuf/wire.ts';

import type { Json } from './component-schemas.ts';

/** An OpenAPI v2 document as the protobuf message that kubectl asks for (gnostic-models, openapiv2/OpenAPIv2.proto). */
export function openApiV2Protobuf(document: Json): Uint8Array {
  return encoded(documentFields, document);
}

/** Writes the value of one keyword as a field of its message. */
type Write = (writer: WireWriter, value: unknown) => void;

/** A message by the keywords of JSON; `x-` is where vendor extensions go. */
interface Fields {
  readonly [keyword: string]: Write;
}

function encoded(fields: Fields, json: Json): Uint8Array {
  const writer = new WireWriter();
  for (const [keyword, value] of Object.entries(json)) {
    if (Object.hasOwn(fields, keyword)) fields[keyword]?.(writer, value);
    else if (keyword.startsWith('x-')) fields['x-']?.(writer, [keyword, value]);
  }
  return writer.finish();
}

function bytes(writer: WireWriter, number: number, value: Uint8Array): void {
  writer.tag(number, wireTypes.bytes);
  writer.bytes(value);
}

const text =
  (number: number): Write =>
  (writer, value) => {
    bytes(writer, number, bytesOfText(String(value)));
  };
const texts =
  (number: number): Write =>
  (writer, value) => {
    for (const one of Array.isArray(value) ? value : [value]) text(number)(writer, one);
  };
const whole =
  (number: number): Write =>
  (writer, value) => {
    writer.tag(number, wireTypes.varint);
    writer.varint(BigInt(Math.trunc(Number(value))));
  };
const double =
  (number: number): Write =>
  (writer, value) => {
    writer.tag(number, wireTypes.fixed64);
    writer.double(Number(value));
  };
/** Any: YAML, which JSON is. */
const any =
  (number: number): Write =>
  (writer, value) => {
    bytes(writer, number, anyOf(value));
  };
const part =
  (number: number, fields: () => Fields): Write =>
  (writer, value) => {
    bytes(writer, number, encoded(fields(), value as Json));
  };
/** A message whose one field wraps another. */
const wrapped =
  (number: number, inner: Write): Write =>
  (writer, value) => {
    const message = new WireWriter();
    inner(message, value);
    bytes(writer, number, message.finish());
  };
/** A map as a list of pairs of a name and a value. */
const named =
  (number: number, value: Write): Write =>
  (writer, map) => {
    for (const [name, one] of Object.entries(map as Json))
      wrapped(number, (pair) => {
        text(1)(pair, name);
        value(pair, one);
      })(writer, undefined);
  };
const extension = (number: number): Write =>
  wrapped(number, (pair, value) => {
    const [name, content] = value as readonly [string, unknown];
    text(1)(pair, name);
    any(2)(pair, content);
  });

function anyOf(value: unknown): Uint8Array {
  const writer = new WireWriter();
  text(2)(writer, `${JSON.stringify(value)}\n`);
  return writer.finish();
}

const schemaFields: Fields = {
  $ref: text(1),
  format: text(2),
  title: text(3),
  description: text(4),
  default: any(5),
  multipleOf: double(6),
  maximum: double(7),
  exclusiveMaximum: whole(8),
  minimum: double(9),
  exclusiveMinimum: whole(10),
  maxLength: whole(11),
  minLength: whole(12),
  pattern: text(13),
  maxItems: whole(14),
  minItems: whole(15),
  uniqueItems: whole(16),
  maxProperties: whole(17),
  minProperties: whole(18),
  required: texts(19),
  enum: (writer, value) => {
    for (const one of value as readonly unknown[]) any(20)(writer, one);
  },
  additionalProperties: wrapped(21, (writer, value) =>
    isObject(value) ? part(1, () => schemaFields)(writer, value) : whole(2)(writer, value),
  ),
  type: wrapped(22, texts(1)),
  items: wrapped(
    23,
    part(1, () => schemaFields),
  ),
  properties: wrapped(
    25,
    named(
      1,
      part(2, () => schemaFields),
    ),
  ),
  example: any(30),
  'x-': extension(31),
};

const bodyParameter: Fields = {
  description: text(1),
  name: text(2),
  in: text(3),
  required: whole(4),
  schema: part(5, () => schemaFields),
};
const queryParameter: Fields = {
  required: whole(1),
  in: text(2),
  description: text(3),
  name: text(4),
  type: text(6),
  format: text(7),
  uniqueItems: whole(20),
};
const pathParameter: Fields = {
  required: whole(1),
  in: text(2),
  description: text(3),
  name: text(4),
  type: text(5),
  format: text(6),
  uniqueItems: whole(19),
};

/** ParametersItem holds a Parameter, which holds one of several kinds. */
const parameters = (number: number): Write => {
  const one = wrapped(
    number,
    wrapped(1, (writer, value) => {
      const place = (value as Json)['in'];
      if (place === 'body') part(1, () => bodyParameter)(writer, value);
      else if (place === 'path')
        wrapped(
          2,
          part(4, () => pathParameter),
        )(writer, value);
      else
        wrapped(
          2,
          part(3, () => queryParameter),
        )(writer, value);
    }),
  );
  return (writer, value) => {
    for (const item of value as readonly Json[]) one(writer, item);
  };
};

const responseFields: Fields = {
  description: text(1),
  schema: wrapped(
    2,
    part(1, () => schemaFields),
  ),
};

const operationFields: Fields = {
  tags: texts(1),
  summary: text(2),
  description: text(3),
  operationId: text(5),
  produces: texts(6),
  consumes: texts(7),
  parameters: parameters(8),
  responses: wrapped(
    9,
    named(
      1,
      wrapped(
        2,
        part(1, () => responseFields),
      ),
    ),
  ),
  schemes: texts(10),
  'x-': extension(13),
};

const operation = (number: number): Write => part(number, () => operationFields);
const pathFields: Fields = {
  get: operation(2),
  put: operation(3),
  post: operation(4),
  delete: operation(5),
  patch: operation(8),
  parameters: parameters(9),
};

const documentFields: Fields = {
  swagger: text(1),
  info: part(2, () => ({ title: text(1), version: text(2) })),
  paths: wrapped(
    8,
    named(
      2,
      part(2, () => pathFields),
    ),
  ),
  definitions: wrapped(
    9,
    named(
      1,
      part(2, () => schemaFields),
    ),
  ),
  security: (writer, value) => {
    for (const one of value as readonly Json[]) wrapped(12, named(1, wrapped(2, texts(1))))(writer, one);
  },
  securityDefinitions: wrapped(
    13,
    named(
      1,
      wrapped(
        2,
        part(2, () => ({ type: text(1), name: text(2), in: text(3), description: text(4) })),
      ),
    ),
  ),
};
