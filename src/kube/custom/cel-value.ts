import { isObject } from '#base/json.ts';

import { isIntOrString, isEmbedded, valuesSchema, type JsonSchema } from './json-schema.ts';

/** Words of CEL that a field cannot be named by as they are. */
const reserved: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** How a field is named in expressions: `my-field` is `my__dash__field`, `namespace` is `__namespace__`. */
export function celName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** A value of a custom resource as expressions see it: whole numbers are int, times and bytes are of their types. */
export function celValue(value: unknown, schema: JsonSchema | undefined, duration: (text: string) => unknown): unknown {
  if (typeof value === 'number') {
    if (schema?.type === 'number') return value;
    return Number.isInteger(value) ? BigInt(value) : value;
  }
  if (typeof value === 'string') return celText(value, schema, duration);
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items, duration));
  if (!isObject(value)) return value;
  const values = schema === undefined ? undefined : valuesSchema(schema);
  const isMap =
    schema === undefined || (values !== undefined && schema.properties === undefined) || schema.type === undefined;
  const entries = Object.entries(value).flatMap(([name, part]) => {
    if (isMap) return [[name, celValue(part, values, duration)] as const];
    const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
    const isWhole = isEmbedded(schema) && ['apiVersion', 'kind', 'metadata'].includes(name);
    // What is kept without a schema cannot be seen by expressions.
    return own === undefined && !isWhole ? [] : [[celName(name), celValue(part, own, duration)] as const];
  });
  return Object.fromEntries(entries);
}

function celText(text: string, schema: JsonSchema | undefined, duration: (text: string) => unknown): unknown {
  if (schema === undefined || isIntOrString(schema)) return text;
  switch (schema.format) {
    case 'date-time':
    case 'date': {
      const time = new Date(text);
      return Number.isNaN(time.getTime()) ? text : time;
    }
    case 'duration':
      return duration(text);
    case 'byte':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}
