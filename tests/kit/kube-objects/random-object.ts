import * as fc from 'fast-check';

import type { AnySchema, ScalarSchema, Schema, StructSchema } from '#kube/schema.ts';

/**
 * Random objects of a type, with any of its fields but kind and apiVersion, nested to a depth; integers are such that
 * JavaScript has them exactly.
 */
export function randomObject(schema: StructSchema, depth = 6): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...schema.fields].filter(
    ([, { schema, go }]) => go?.path.length !== 0 && (depth > 1 || schema.type === 'scalar'),
  );
  // A few fields of each struct: all of them at each level would be more than anybody sends.
  return fc.subarray(fields, { maxLength: Math.min(fields.length, 5) }).chain((some) => {
    const model = Object.fromEntries(
      some.map(([name, { schema, go }]) => [name, randomValue(schema, depth - 1, go?.omitsEmpty === true ? 0 : 1)]),
    );
    return fc.record(model) as fc.Arbitrary<Record<string, unknown>>;
  });
}

/** `least`: an empty list or map that is always written differs from none in JSON, but not in protobuf. */
function randomValue(schema: Schema, depth: number, least = 0): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'struct':
      return randomObject(schema, depth);
    case 'list':
      return fc.array(randomValue(schema.items, depth), { minLength: least, maxLength: 2 });
    case 'map':
      return fc.dictionary(text, randomValue(schema.values, depth), { minKeys: least, maxKeys: 2 });
    case 'any':
      return randomAny(schema.goType);
    default:
      return randomScalar(schema);
  }
}

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const seconds = fc.integer({ min: -10_000_000_000, max: 100_000_000_000 });
const quantity = fc
  .tuple(fc.integer({ min: -9999, max: 9999 }), fc.constantFrom('', 'm', 'k', 'Mi', 'Gi', 'e3', 'n', 'E'))
  .map((parts) => parts.join(''));

function randomScalar({ scalar }: ScalarSchema): fc.Arbitrary<unknown> {
  switch (scalar) {
    case 'string':
      return text;
    case 'bytes':
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'boolean':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.maxSafeInteger();
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
    case 'quantity':
      return quantity;
    case 'int-or-string':
      return fc.oneof(fc.integer(), text);
    case 'duration':
      return fc.integer({ min: 0, max: 100_000 }).map((number) => `${String(number)}ms`);
    case 'time':
      return seconds.map((number) => new Date(number * 1000).toISOString());
    default:
      return seconds.map((number) => new Date(number * 1000 + 123).toISOString().replace('Z', '456Z'));
  }
}

function randomAny(goType: AnySchema['goType']): fc.Arbitrary<unknown> {
  const schema = fc.constantFrom({ type: 'string' }, { type: 'array', items: { type: 'integer' } }, {});
  switch (goType) {
    case 'SchemaOrBool':
      return fc.oneof(fc.boolean(), schema);
    case 'SchemaOrArray':
      return fc.oneof(schema, fc.array(schema, { maxLength: 2 }));
    case 'SchemaOrStrings':
      return fc.oneof(schema, fc.array(text, { maxLength: 2 }));
    default:
      return fc.dictionary(text, fc.oneof(fc.integer(), text, fc.constant(null)), {
        maxKeys: 2,
        noNullPrototype: true,
      });
  }
}
