import { isObject } from '#base/json.ts';

import { isEmbedded, keepsUnknown, valuesSchema, type JsonSchema } from './json-schema.ts';

/**
 * Takes away fields that the structural schema does not know, in place, and gives their paths in order, such as
 * `spec.list[0].foo`. Of the whole object and of embedded ones apiVersion, kind and metadata stay.
 */
export function prune(object: Record<string, unknown>, schema: JsonSchema): readonly string[] {
  const unknown: string[] = [];
  pruneObject(object, { ...schema, 'x-kubernetes-embedded-resource': true }, '', unknown);
  return unknown.toSorted();
}

const objectFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function pruneValue(value: unknown, schema: JsonSchema, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    // Without a schema of items, or below kept fields, whatever is there stays.
    if (items !== undefined || !keepsUnknown(schema))
      for (const [index, item] of value.entries()) pruneValue(item, items ?? {}, `${path}[${String(index)}]`, unknown);
  } else if (isObject(value)) pruneObject(value, schema, path, unknown);
}

function pruneObject(object: Record<string, unknown>, schema: JsonSchema, path: string, unknown: string[]): void {
  const values = valuesSchema(schema);
  for (const [name, value] of Object.entries(object)) {
    const at = path === '' ? name : `${path}.${name}`;
    if (isEmbedded(schema) && objectFields.has(name)) continue;
    const part = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : values;
    if (part !== undefined) pruneValue(value, part, at, unknown);
    else if (!keepsUnknown(schema)) {
      delete object[name];
      unknown.push(at);
    }
  }
}
