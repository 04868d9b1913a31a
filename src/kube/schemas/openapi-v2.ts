import { isObject } from '#base/json.ts';

import type { Json } from './component-schemas.ts';

/** An OpenAPI v3 document, as `openApiDocument` makes them. */
interface Document {
  readonly info: Json;
  readonly paths: Readonly<Record<string, Json>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

/**
 * One OpenAPI v2 document of all that several v3 documents say. What version 2 cannot say of custom resources is left out
 * as upstream does (apiextensions-apiserver, openapi/v2/conversion.go): clients break on it.
 */
export function openApiV2(documents: readonly Json[]): Json {
  const all = documents as readonly unknown[] as readonly Document[];
  const schemas = new Map(all.flatMap(({ components }) => Object.entries(components.schemas)));
  const paths = new Map(all.flatMap((one) => Object.entries(one.paths)));
  return {
    swagger: '2.0',
    info: all[0]?.info ?? {},
    paths: Object.fromEntries(sorted(paths).map(([path, item]) => [path, pathItem(item)])),
    definitions: Object.fromEntries(sorted(schemas).map(([name, schema]) => [name, schemaV2(schema)])),
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    security: [{ BearerToken: [] }],
  };
}

function sorted(map: ReadonlyMap<string, Json>): readonly (readonly [string, Json])[] {
  return [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function pathItem(item: Json): Json {
  const { parameters, ...operations } = item;
  return {
    ...Object.fromEntries(Object.entries(operations).map(([method, one]) => [method, operation(one as Json)])),
    parameters: (parameters as readonly Json[]).map(parameter),
  };
}

function parameter({ schema, ...rest }: Json): Json {
  return { ...rest, ...(schema as Json) };
}

const produced = ['application/json', 'application/yaml'];

function operation({ parameters = [], requestBody, responses, ...rest }: Json): Json {
  const body = requestBody as { readonly required?: boolean; readonly content: Json } | undefined;
  const schema = schemaOf(body?.content);
  return {
    ...rest,
    consumes: body === undefined ? ['*/*'] : Object.keys(body.content),
    produces: produced,
    schemes: ['https'],
    parameters: [
      ...(schema === undefined ? [] : [{ in: 'body', name: 'body', required: body?.required === true, schema }]),
      ...(parameters as readonly Json[]).map(parameter),
    ],
    responses: Object.fromEntries(
      Object.entries(responses as Json).map(([code, one]) => [code, response(one as Json)]),
    ),
  };
}

function response({ description, content }: Json): Json {
  const schema = schemaOf(content as Json | undefined);
  return { description, ...(schema === undefined ? {} : { schema }) };
}

/** Of the first of several media types: they have one. */
function schemaOf(content: Json | undefined): Json | undefined {
  const [first] = Object.values(content ?? {}) as { readonly schema: Json }[];
  return first === undefined ? undefined : schemaV2(first.schema);
}

/** Keywords that version 2 does not have. */
const unknownWords = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable']);

function schemaV2(schema: Json): Json {
  const known = Object.fromEntries(Object.entries(schema).filter(([word]) => !unknownWords.has(word)));
  const [whole] = (Array.isArray(schema['allOf']) ? schema['allOf'] : []) as Json[];
  const target = (whole ?? schema)['$ref'];
  if (typeof target === 'string') return { ...known, $ref: target.replace('#/components/schemas/', '#/definitions/') };
  // A number or a text, which clients of version 2 know as a text.
  if (Array.isArray(schema['oneOf']) && schema['type'] === undefined) return { ...known, type: 'string' };
  const { items, properties, required, additionalProperties, type, ...rest } = known;
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isOpen = schema['nullable'] === true || keepsUnknown;
  const isTyped = schema['nullable'] !== true && !(keepsUnknown && type === 'object');
  const hasItems = items !== undefined && !isOpen;
  return {
    ...rest,
    ...(isTyped && type !== undefined && (type !== 'array' || hasItems) ? { type } : {}),
    ...(hasItems ? { items: schemaV2(items as Json) } : {}),
    ...(properties === undefined || isOpen ? {} : { properties: mapped(properties as Json) }),
    ...requiredOf(required, known),
    ...(isObject(additionalProperties)
      ? { additionalProperties: schemaV2(additionalProperties) }
      : additionalProperties === undefined
        ? {}
        : { additionalProperties }),
  };
}

function mapped(schemas: Json): Json {
  return Object.fromEntries(Object.entries(schemas).map(([name, one]) => [name, schemaV2(one as Json)]));
}

/** Without what may be null, since nobody is told that it may. */
function requiredOf(required: unknown, { properties, additionalProperties }: Json): Json {
  if (!Array.isArray(required)) return {};
  if (isObject(additionalProperties) && additionalProperties['nullable'] === true) return {};
  const fields = (properties ?? {}) as Readonly<Record<string, Json>>;
  const left = (required as readonly string[]).filter((name) => fields[name]?.['nullable'] !== true);
  return left.length === 0 ? {} : { required: left };
}
