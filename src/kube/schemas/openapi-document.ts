import { required } from '#base/assert.ts';

import type { KindDef, Subresource, Verb } from '../kind.ts';
import { builtinSchema, builtinType } from './builtin-schemas.ts';
import { ComponentSchemas, reference, type Json } from './component-schemas.ts';

/** A resource as OpenAPI has it; `jsonSchema`: the schema of a custom resource as its definition says it. */
export type OpenApiResource = Pick<
  KindDef,
  'group' | 'version' | 'kind' | 'plural' | 'scope' | 'verbs' | 'subresources' | 'schema'
> & { readonly jsonSchema?: Json };

/**
 * The OpenAPI v3 document of one group version: what kubectl looks for (kinds of operations, parameters of PATCH) and what
 * makers of clients need. There are no descriptions but those of custom resources.
 */
export function openApiDocument(resources: readonly OpenApiResource[], version: string): Json {
  const components = new ComponentSchemas();
  const paths = resources.flatMap((resource) => pathsOf(resource, components));
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(paths.toSorted(([one], [other]) => (one < other ? -1 : 1))),
    components: {
      schemas: components.all(),
      securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    },
  };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What operations of a path have in common. */
interface PathContext {
  readonly kind: Kind;
  readonly body: Json;
  readonly list: Json | undefined;
  /** Such as `AppsV1NamespacedDeployment`. */
  readonly name: string;
  readonly tag: string;
  readonly isSubresource: boolean;
  /** Custom resources are not patched by merge keys; kubectl asks this document. */
  readonly isCustom: boolean;
  readonly components: ComponentSchemas;
}

type Path = readonly [string, Json];

function pathsOf(resource: OpenApiResource, components: ComponentSchemas): readonly Path[] {
  const { group, version, kind, plural, scope, verbs, subresources } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const isNamespaced = scope === 'Namespaced';
  const collection = `${root}/${isNamespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const groupName = group === '' ? 'core' : (group.split('.')[0] ?? '');
  const base = `${capital(groupName)}${capital(version)}`;
  const context: PathContext = {
    kind: { group, version, kind },
    body: bodyOf(resource, components),
    list: verbs.includes('list') ? listOf(resource, components) : undefined,
    name: `${base}${isNamespaced ? 'Namespaced' : ''}${kind}`,
    tag: `${groupName}_${version}`,
    isSubresource: false,
    isCustom: resource.jsonSchema !== undefined,
    components,
  };
  const own: Path[] = [
    [collection, path(collectionVerbs, verbs, context, isNamespaced, false)],
    [`${collection}/{name}`, path(itemVerbs, verbs, context, isNamespaced, true)],
  ];
  if (isNamespaced && verbs.includes('list'))
    own.push([
      `${root}/${plural}`,
      path(['list'], verbs, { ...context, name: `${base}${kind}ForAllNamespaces` }, false, false),
    ]);
  const below = subresources.map((subresource): Path => [
    `${collection}/{name}/${subresource.name}`,
    path(itemVerbs, subresource.verbs, subresourceContext(context, subresource), isNamespaced, true),
  ]);
  return [...own, ...below].filter(([, operations]) => Object.keys(operations).some((key) => key !== 'parameters'));
}

function subresourceContext(context: PathContext, { name, body }: Subresource): PathContext {
  const kind = body ?? context.kind;
  const schema = body === undefined ? undefined : builtinSchema(body.group, body.version, body.kind);
  return {
    ...context,
    isSubresource: true,
    kind,
    body: schema === undefined ? context.body : context.components.builtin(schema, [kindExtension(kind)]),
    name: `${context.name}${capital(name)}`,
  };
}

const collectionVerbs = ['list', 'create', 'deletecollection'] as const;
const itemVerbs = ['get', 'update', 'patch', 'delete', 'create'] as const;
const methodOf: Readonly<Record<string, string>> = {
  get: 'get',
  list: 'get',
  create: 'post',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};
const actionOf: Readonly<Record<string, string>> = { create: 'post', update: 'put' };
const nameOf: Readonly<Record<string, string>> = {
  get: 'read',
  update: 'replace',
  deletecollection: 'deleteCollection',
};

function path(
  known: readonly Verb[],
  verbs: readonly Verb[],
  context: PathContext,
  isNamespaced: boolean,
  isItem: boolean,
): Json {
  // Bodies of subresources are created below an item, those of resources in their collection.
  const own = known.filter((verb) => verbs.includes(verb) && (verb !== 'create' || isItem === context.isSubresource));
  const parameters = [
    ...(isItem ? [{ name: 'name', in: 'path', required: true, schema: uniqueText }] : []),
    ...(isNamespaced ? [{ name: 'namespace', in: 'path', required: true, schema: uniqueText }] : []),
    query('pretty'),
  ];
  const operations = own.map((verb) => [methodOf[verb] ?? verb, operation(verb, context)] as const);
  return { ...Object.fromEntries(operations), parameters };
}

const uniqueText = { type: 'string', uniqueItems: true } as const;

function query(name: string, type = 'string'): Json {
  return { name, in: 'query', schema: { type, uniqueItems: true } };
}

const writeParameters: readonly Json[] = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
const deleteParameters: readonly Json[] = [
  query('dryRun'),
  query('gracePeriodSeconds', 'integer'),
  query('orphanDependents', 'boolean'),
  query('propagationPolicy'),
];
const listParameters: readonly Json[] = [
  query('allowWatchBookmarks', 'boolean'),
  query('continue'),
  query('fieldSelector'),
  query('labelSelector'),
  query('limit', 'integer'),
  query('resourceVersion'),
  query('resourceVersionMatch'),
  query('sendInitialEvents', 'boolean'),
  query('timeoutSeconds', 'integer'),
  query('watch', 'boolean'),
];
const parametersOf: Readonly<Record<string, readonly Json[]>> = {
  list: listParameters,
  create: writeParameters,
  update: writeParameters,
  patch: [...writeParameters, query('force', 'boolean')],
  delete: deleteParameters,
  deletecollection: [...deleteParameters, ...listParameters.filter((one) => one['name'] !== 'watch')],
};
const strategicType = 'strategic-merge-patch+json';
const patchTypes = ['json-patch+json', 'merge-patch+json', strategicType, 'apply-patch+yaml'];

function operation(verb: Verb, context: PathContext): Json {
  const { kind, name, tag } = context;
  const parameters = parametersOf[verb];
  const requestBody = requestBodyOf(verb, context);
  return {
    tags: [tag],
    operationId: `${nameOf[verb] ?? verb}${name}`,
    ...(parameters === undefined ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: responsesOf(verb, context),
    'x-kubernetes-action': actionOf[verb] ?? verb,
    'x-kubernetes-group-version-kind': kindExtension(kind),
  };
}

function requestBodyOf(verb: Verb, { body, components, isCustom }: PathContext): Json | undefined {
  if (verb === 'create' || verb === 'update') return { required: true, content: { '*/*': { schema: body } } };
  if (verb === 'patch') {
    components.set('io.k8s.apimachinery.pkg.apis.meta.v1.Patch', { type: 'object' });
    const schema = reference('io.k8s.apimachinery.pkg.apis.meta.v1.Patch');
    const types = patchTypes.filter((type) => !isCustom || type !== strategicType);
    return {
      required: true,
      content: Object.fromEntries(types.map((type) => [`application/${type}`, { schema }])),
    };
  }
  if (verb !== 'delete' && verb !== 'deletecollection') return undefined;
  const options = required(builtinType('meta/v1.DeleteOptions'), 'DeleteOptions');
  return {
    content: { '*/*': { schema: components.builtin(options, [{ group: '', kind: 'DeleteOptions', version: 'v1' }]) } },
  };
}

function responsesOf(verb: Verb, { body, list, components }: PathContext): Json {
  const status = components.builtin(required(builtinType('meta/v1.Status'), 'Status'), [
    { group: '', kind: 'Status', version: 'v1' },
  ]);
  const isStatus = verb === 'delete' || verb === 'deletecollection';
  const schema = isStatus ? status : verb === 'list' ? (list ?? body) : body;
  const ok = { description: 'OK', content: { 'application/json': { schema } } };
  const unauthorized = { description: 'Unauthorized' };
  if (verb === 'create')
    return {
      '200': ok,
      '201': { ...ok, description: 'Created' },
      '202': { ...ok, description: 'Accepted' },
      '401': unauthorized,
    };
  return { '200': ok, '401': unauthorized };
}

function bodyOf({ group, version, kind, schema, jsonSchema }: OpenApiResource, components: ComponentSchemas): Json {
  const own = kindExtension({ group, version, kind });
  if (jsonSchema === undefined) return components.builtin(schema, [own]);
  const name = customName({ group, version, kind });
  const metadata = components.builtin(required(builtinType('meta/v1.ObjectMeta'), 'ObjectMeta'));
  const properties = (jsonSchema['properties'] ?? {}) as Json;
  components.set(name, {
    ...jsonSchema,
    type: 'object',
    properties: {
      ...properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [metadata] },
    },
    'x-kubernetes-group-version-kind': [own],
  });
  return reference(name);
}

function listOf({ group, version, kind, jsonSchema }: OpenApiResource, components: ComponentSchemas): Json {
  const listKind = { group, version, kind: `${kind}List` };
  const builtin = builtinSchema(group, version, listKind.kind);
  if (jsonSchema === undefined && builtin !== undefined) return components.builtin(builtin, [kindExtension(listKind)]);
  const name = customName(listKind);
  const metadata = components.builtin(required(builtinType('meta/v1.ListMeta'), 'ListMeta'));
  components.set(name, {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: reference(customName({ group, version, kind })) },
      kind: { type: 'string' },
      metadata: { allOf: [metadata] },
    },
    required: ['items'],
    'x-kubernetes-group-version-kind': [kindExtension(listKind)],
  });
  return reference(name);
}

/** `com.example.stable.v1.CronTab`. */
function customName({ group, version, kind }: Kind): string {
  return [...group.split('.').toReversed(), version, kind].join('.');
}

function kindExtension({ group, version, kind }: Kind): Json {
  return { group, kind, version };
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
