import { required } from '#base/assert.ts';

import type { Field, ListSchema, ScalarSchema, Schema, StructSchema } from '../schema.ts';
import { builtinType } from '../schemas/builtin-schemas.ts';
import { isEmbedded, isIntOrString, keepsUnknown, valuesSchema, type JsonSchema } from './json-schema.ts';

/** The type of a custom resource, for patches and server-side apply, from the structural schema of its definition. */
export function customSchema(schema: JsonSchema): StructSchema {
  return structOf({ ...schema, 'x-kubernetes-embedded-resource': true });
}

function schemaOf(schema: JsonSchema): Schema {
  if (isIntOrString(schema)) return { type: 'scalar', scalar: 'int-or-string', values: [] };
  switch (schema.type) {
    case 'object': {
      const values = valuesSchema(schema);
      if (values === undefined || schema.properties !== undefined) return structOf(schema);
      return { type: 'map', values: schemaOf(values), isAtomic: schema['x-kubernetes-map-type'] === 'atomic' };
    }
    case 'array':
      return listOf(schema);
    case 'string':
      return { type: 'scalar', scalar: 'string', values: (schema.enum ?? []).filter((one) => typeof one === 'string') };
    case 'boolean':
      return scalar('boolean');
    case 'integer':
      return scalar(schema.format === 'int32' ? 'int32' : 'int64');
    case 'number':
      return scalar('double');
    default:
      return isEmbedded(schema) ? structOf(schema) : { type: 'any' };
  }
}

function scalar(name: ScalarSchema['scalar']): ScalarSchema {
  return { type: 'scalar', scalar: name, values: [] };
}

function structOf(schema: JsonSchema): StructSchema {
  const fields = new Map<string, Field>();
  if (isEmbedded(schema)) {
    fields.set('apiVersion', fieldOf({ type: 'string' }, false));
    fields.set('kind', fieldOf({ type: 'string' }, false));
    const meta = required(builtinType('meta/v1.ObjectMeta'), 'ObjectMeta');
    fields.set('metadata', { ...fieldOf({}, false), schema: meta });
  }
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    if (!fields.has(name)) fields.set(name, fieldOf(part, schema.required?.includes(name) === true));
  return {
    type: 'struct',
    name: '',
    fields,
    isAtomic: schema['x-kubernetes-map-type'] === 'atomic',
    keepsUnknown: keepsUnknown(schema),
    isEmbedded: isEmbedded(schema),
  };
}

function fieldOf(schema: JsonSchema, isRequired: boolean): Field {
  return {
    schema: schemaOf(schema),
    isRequired,
    defaultValue: schema.default,
    isNullable: schema.nullable === true,
    patch: undefined,
  };
}

function listOf(schema: JsonSchema): ListSchema {
  const type = schema['x-kubernetes-list-type'];
  return {
    type: 'list',
    items: schemaOf(schema.items ?? {}),
    kind: type === 'map' || type === 'set' ? type : 'atomic',
    keys: schema['x-kubernetes-list-map-keys'] ?? [],
  };
}
