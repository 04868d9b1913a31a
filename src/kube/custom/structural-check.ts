import { messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import type { FieldError } from '../field-error.ts';
import { forbidden, invalid, notSupported, required } from '../validation/faults.ts';
import { goPattern } from './go-pattern.ts';
import { isEmbedded, isIntOrString, keepsUnknown, type JsonSchema } from './json-schema.ts';

type Faults = Iterable<FieldError>;

/** Where a schema stands, which decides what its type may be and how upstream names the place. */
type Level = 'root' | 'items' | 'field';

/** Schemas within schemas. */
const depthMost = 100;

/**
 * Whether a schema is structural (apiextensions, schema/validation.go): each value has a type, and what combines schemas
 * (allOf and others) only says more of what is there.
 */
export function* structuralFaults(schema: JsonSchema, path: string): Faults {
  yield* schemaFaults(schema, path, 'root', 0);
}

function* schemaFaults(schema: JsonSchema, path: string, level: Level, depth: number): Faults {
  if (depth > depthMost) {
    yield forbidden(path, `must not be nested more than ${String(depthMost)} times`);
    return;
  }
  if (!isObject(schema)) {
    yield invalid(path, schema, 'must be a schema object');
    return;
  }
  yield* typeFaults(schema, path, level);
  yield* unsupportedFaults(schema, path);
  yield* extensionFaults(schema, path);
  yield* valueFaults(schema, path);
  yield* combinationFaults(schema, path);
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    yield* schemaFaults(part, `${path}.properties[${name}]`, 'field', depth + 1);
  if (isObject(schema.additionalProperties))
    yield* schemaFaults(schema.additionalProperties, `${path}.additionalProperties`, 'field', depth + 1);
  if (isObject(schema.items)) yield* schemaFaults(schema.items, `${path}.items`, 'items', depth + 1);
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const emptyTexts: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  items: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function* typeFaults(schema: JsonSchema, path: string, level: Level): Faults {
  const { type } = schema;
  if (isEmbedded(schema) && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true';
    yield type === undefined ? required(`${path}.type`, text) : invalid(`${path}.type`, type, text);
    return;
  }
  if (type === undefined || type === '') {
    if (!isIntOrString(schema) && (!keepsUnknown(schema) || level === 'root'))
      yield required(`${path}.type`, emptyTexts[level]);
    return;
  }
  if (!types.includes(type)) yield notSupported(`${path}.type`, type, types);
  if (level === 'root' && type !== 'object') yield invalid(`${path}.type`, type, 'must be object at the root');
  if (isIntOrString(schema))
    yield invalid(`${path}.x-kubernetes-int-or-string`, true, 'must be false if type is specified');
  if (type === 'array' && schema.items === undefined) yield required(`${path}.items`, 'must be specified');
}

const unsupported: Readonly<Record<string, string>> = {
  $ref: '$ref is not supported',
  id: 'id is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  patternProperties: 'patternProperties is not supported',
  additionalItems: 'additionalItems is not supported',
};

function* unsupportedFaults(schema: JsonSchema, path: string): Faults {
  for (const [name, text] of Object.entries(unsupported))
    if (Object.hasOwn(schema, name)) yield forbidden(`${path}.${name}`, text);
  if (Array.isArray(schema.items)) yield forbidden(`${path}.items`, 'items must be a schema object and not an array');
  if (schema.uniqueItems === true)
    yield forbidden(
      `${path}.uniqueItems`,
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    );
  if (schema.additionalProperties === undefined) return;
  if (schema.additionalProperties === false)
    yield forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false');
  if (schema.properties !== undefined)
    yield forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive');
  if (isEmbedded(schema))
    yield forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set');
}

function* extensionFaults(schema: JsonSchema, path: string): Faults {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'];
  const mapType = schema['x-kubernetes-map-type'];
  if (listType !== undefined) {
    if (schema.type !== 'array')
      yield invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified');
    if (!['atomic', 'set', 'map'].includes(listType))
      yield notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']);
  }
  if (mapType !== undefined && !['granular', 'atomic'].includes(mapType))
    yield notSupported(`${path}.x-kubernetes-map-type`, mapType, ['granular', 'atomic']);
  if (mapType !== undefined && schema.type !== 'object')
    yield invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified');
  if (keys !== undefined && listType !== 'map')
    yield forbidden(`${path}.x-kubernetes-list-map-keys`, 'must be empty if x-kubernetes-list-type is not map');
  if (listType === 'map') yield* mapListFaults(schema, path, keys ?? []);
}

function* mapListFaults(schema: JsonSchema, path: string, keys: readonly string[]): Faults {
  if (keys.length === 0) {
    yield required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map');
    return;
  }
  if (schema.items?.type !== 'object')
    yield invalid(
      `${path}.items.type`,
      schema.items?.type ?? '',
      `must be object if parent array's x-kubernetes-list-type is map`,
    );
  for (const [index, key] of keys.entries()) {
    const property = schema.items?.properties?.[key];
    const at = `${path}.x-kubernetes-list-map-keys[${String(index)}]`;
    if (property === undefined) yield invalid(at, key, 'entries must all be names of item properties');
    else if (property.default === undefined && schema.items?.required?.includes(key) !== true)
      yield required(
        `${path}.items.properties[${key}].default`,
        `this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      );
  }
}

function* valueFaults(schema: JsonSchema, path: string): Faults {
  const fault = patternFault(schema.pattern);
  if (fault !== undefined)
    yield invalid(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${fault}`);
  for (const bound of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'] as const) {
    const value = schema[bound];
    if (value !== undefined && value < 0)
      yield invalid(`${path}.${bound}`, value, 'must be greater than or equal to 0');
  }
  if (schema.multipleOf !== undefined && schema.multipleOf <= 0)
    yield invalid(`${path}.multipleOf`, schema.multipleOf, 'must be greater than 0');
}

function patternFault(pattern: string | undefined): string | undefined {
  try {
    if (pattern !== undefined) goPattern(pattern);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** What combined schemas must not say: it is for the schema around them. */
const structural = ['type', 'additionalProperties', 'default', 'title', 'description', 'nullable'] as const;

function* combinationFaults(schema: JsonSchema, path: string): Faults {
  for (const combination of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [index, part] of (schema[combination] ?? []).entries())
      if (!(isIntOrString(schema) && isTypeAlone(part)))
        yield* nestedFaults(part, schema, `${path}.${combination}[${String(index)}]`);
  if (schema.not !== undefined) yield* nestedFaults(schema.not, schema, `${path}.not`);
}

/** `anyOf: [{type: integer}, {type: string}]` may stand beside x-kubernetes-int-or-string. */
function isTypeAlone(schema: JsonSchema): boolean {
  const keys = Object.keys(schema);
  return (
    keys.length === 1 &&
    (schema.type === 'integer' || schema.type === 'string' || schema.anyOf?.every(isTypeAlone) === true)
  );
}

function* nestedFaults(nested: JsonSchema, around: JsonSchema | undefined, path: string): Faults {
  for (const name of structural)
    if (nested[name] !== undefined) yield forbidden(`${path}.${name}`, 'must be empty to be structural');
  for (const [name, part] of Object.entries(nested.properties ?? {})) {
    const own = around?.properties?.[name];
    const at = `${path}.properties[${name}]`;
    if (own === undefined && around !== undefined && !keepsUnknown(around))
      yield required(
        at.replace(/(?:\.(?:allOf|anyOf|oneOf)\[\d+\]|\.not)(?=\.)/, ''),
        `because it is defined in ${at}`,
      );
    yield* nestedFaults(part, own, at);
  }
  if (nested.items !== undefined) yield* nestedFaults(nested.items, around?.items, `${path}.items`);
  for (const combination of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [index, part] of (nested[combination] ?? []).entries())
      yield* nestedFaults(part, around, `${path}.${combination}[${String(index)}]`);
  if (nested.not !== undefined) yield* nestedFaults(nested.not, around, `${path}.not`);
}
