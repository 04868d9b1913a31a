import { isObject } from '#base/json.ts';

import { valuesSchema, type JsonSchema } from './json-schema.ts';

/**
 * Fills defaults of a structural schema, in place. Null in a field that cannot be null is as if the field were not there; its
 * default is then filled.
 */
export function applyDefaults(value: unknown, schema: JsonSchema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(item, schema.items);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (value[name] === null && part.nullable !== true) delete value[name];
    if (!Object.hasOwn(value, name) && part.default !== undefined) value[name] = structuredClone(part.default);
    if (Object.hasOwn(value, name)) applyDefaults(value[name], part);
  }
  const values = valuesSchema(schema);
  if (values === undefined) return;
  for (const [name, part] of Object.entries(value)) {
    if (Object.hasOwn(schema.properties ?? {}, name)) continue;
    if (part === null && values.nullable !== true && values.type !== undefined) {
      if (values.default === undefined) delete value[name];
      else value[name] = structuredClone(values.default);
    }
    applyDefaults(value[name], values);
  }
}
