import { required } from '#base/assert.ts';

import { builtinType } from '../schemas/builtin-schemas.ts';
import type { AnySchema, StructSchema } from '../schema.ts';
import { badRequest } from '../status.ts';
import { plainValue } from './json-text.ts';

type Union = Extract<NonNullable<AnySchema['goType']>, `Schema${string}`>;

/** The schema of a schema (JSONSchemaProps). */
export function schemaOfSchemas(): StructSchema {
  return required(builtinType('apiextensions/v1.JSONSchemaProps'), 'JSONSchemaProps');
}

/** Parts of JSON schema that are one thing or another: a schema, or a list of them, or a boolean, or names. */
export function readSchemaUnion(
  value: unknown,
  union: Union,
  read: (value: unknown, schema: StructSchema) => Record<string, unknown>,
): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    if (union === 'SchemaOrArray') return value.map((part) => read(part, schemaOfSchemas()));
    if (union === 'SchemaOrStrings') return plainValue(value);
  } else if (typeof value === 'object') return read(value, schemaOfSchemas());
  if (union === 'SchemaOrBool' && typeof value === 'boolean') return value;
  throw badRequest(unionErrors[union]);
}

const unionErrors: Readonly<Record<Union, string>> = {
  SchemaOrArray: 'cannot unmarshal a value that is neither a schema nor a list of schemas',
  SchemaOrBool: 'boolean or JSON schema expected',
  SchemaOrStrings: 'cannot unmarshal a value that is neither a schema nor a list of names',
};
