import { encodeProtobuf } from '#kube/codec/protobuf-envelope.ts';
import { readObject } from '#kube/codec/read-object.ts';
import type { KindDef } from '#kube/kind.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import { builtinSchema } from '#kube/schemas/builtin-schemas.ts';

import { ordinaryObjects } from '../kube/ordinary-objects.ts';
import type { ApiRequest } from './api-request.ts';

type Fields = Readonly<Record<string, unknown>>;

const widgets = { group: 'example.com', version: 'v1', kind: 'Widget', plural: 'widgets' };
/** Kinds whose objects others need: mutations would make every later request fail for a reason of no interest. */
const untouched = new Set(['Namespace', 'APIService']);

/** Every verb of every kind in every form that clients send, and what is no object: discovery, documents, health. */
export function validRequests(namespace: string): readonly ApiRequest[] {
  const ofKinds = kinds.filter(({ kind }) => !untouched.has(kind)).flatMap((def) => requestsOfKind(def, namespace));
  return [...ofKinds, ...widgetRequests(namespace), ...podRequests(namespace), ...plainPaths.map((path) => get(path))];
}

/** A definition with patterns and rules, for `validRequests`. */
export const widgetDefinition: Fields = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${widgets.plural}.${widgets.group}` },
  spec: {
    group: widgets.group,
    scope: 'Namespaced',
    names: { plural: widgets.plural, singular: 'widget', kind: widgets.kind, listKind: 'WidgetList' },
    versions: [
      {
        name: widgets.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                'x-kubernetes-validations': [{ rule: 'self.name.matches("^(a+)+$") || self.tags.size() < 5' }],
                properties: {
                  name: { type: 'string', pattern: '^([a-z]+)*$', default: 'a' },
                  size: { type: 'integer', minimum: 0 },
                  tags: { type: 'array', default: [], 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                },
              },
              status: { type: 'object', properties: { phase: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
};

const json = { 'content-type': 'application/json' };
const plainPaths = [
  '/api',
  '/apis',
  '/api/v1',
  '/apis/apps',
  '/apis/apps/v1',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/version',
  '/healthz',
  '/livez?verbose',
  '/readyz',
  '/metrics',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
];

function requestsOfKind(def: KindDef, namespace: string): readonly ApiRequest[] {
  const { group, version, kind } = def;
  const fields = fieldsOf(def);
  const name = metadataName(fields);
  const path = collectionPath(def, namespace);
  const object = { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...fields };
  const makes = def.verbs.includes('create') ? creations(path, object, def) : [];
  if (!def.verbs.includes('get')) return makes;
  const one = `${path}/${name}`;
  const changed = { ...object, metadata: { name, labels: { changed: 'yes' }, annotations: { note: 'a b' } } };
  const changes = def.verbs.includes('patch') ? writes(one, changed) : [];
  const parts = def.subresources
    .filter(({ verbs }) => verbs.includes('patch') || verbs.includes('update'))
    .flatMap((part) => [get(`${one}/${part.name}`), patch(`${one}/${part.name}`, 'merge', { status: {} })]);
  return [...makes, ...reads(path, name), ...changes, ...parts, ...deletions(path, one)];
}

function creations(path: string, object: Fields, def: KindDef): readonly ApiRequest[] {
  const text = JSON.stringify(object);
  const schema = builtinSchema(def.group, def.version, def.kind);
  const bodies: [string, Buffer][] = [
    ['application/json', Buffer.from(text)],
    ['application/yaml', Buffer.from(yamlOf(object))],
  ];
  if (schema !== undefined)
    bodies.push([
      'application/vnd.kubernetes.protobuf',
      Buffer.from(encodeProtobuf(readObject(object, schema).object, schema)),
    ]);
  return bodies.map(([type, body]) => ({
    method: 'POST',
    target: `${path}?fieldManager=test&fieldValidation=Strict`,
    headers: { 'content-type': type },
    body,
  }));
}

function reads(path: string, name: string): readonly ApiRequest[] {
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
  const partial = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };
  return [
    get(`${path}/${name}`),
    get(
      `${path}?limit=2&resourceVersion=0&labelSelector=a%3Db%2Cc+in+(d%2Ce)%2C!f&fieldSelector=metadata.name%3D${name}`,
    ),
    get(`${path}?includeObject=Object`, table),
    get(`${path}?resourceVersion=1&resourceVersionMatch=NotOlderThan`, partial),
    get(`${path}?watch=true&timeoutSeconds=1&resourceVersion=0&allowWatchBookmarks=true`),
    get(
      `${path}?watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
      table,
    ),
  ];
}

function writes(one: string, object: Fields): readonly ApiRequest[] {
  return [
    { method: 'PUT', target: one, headers: json, body: Buffer.from(JSON.stringify(object)) },
    patch(one, 'merge', { metadata: { labels: { a: 'b', c: null } } }),
    patch(one, 'strategic-merge', { metadata: { finalizers: null, labels: { a: 'b' } }, $retainKeys: ['metadata'] }),
    patch(one, 'json', [
      { op: 'test', path: '/metadata/name', value: 'x' },
      { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      { op: 'copy', from: '/metadata/labels', path: '/metadata/annotations' },
      { op: 'replace', path: '/metadata/labels/a', value: 'c' },
      { op: 'move', from: '/metadata/annotations/a', path: '/metadata/annotations/b' },
      { op: 'remove', path: '/metadata/labels' },
    ]),
    patch(`${one}?fieldManager=m&force=true`, 'apply', object),
    { ...patch(`${one}?fieldManager=m&dryRun=All`, 'apply', {}), body: Buffer.from(yamlOf(object)) },
  ];
}

function deletions(path: string, one: string): readonly ApiRequest[] {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Background' };
  return [
    { method: 'DELETE', target: `${one}?propagationPolicy=Foreground`, headers: {}, body: undefined },
    { method: 'DELETE', target: one, headers: json, body: Buffer.from(JSON.stringify(options)) },
    {
      method: 'DELETE',
      target: `${path}?labelSelector=doomed`,
      headers: json,
      body: Buffer.from(JSON.stringify(options)),
    },
  ];
}

function podRequests(namespace: string): readonly ApiRequest[] {
  const pod = `/api/v1/namespaces/${namespace}/pods/web`;
  const post = (target: string, body: Fields): ApiRequest => ({
    method: 'POST',
    target,
    headers: json,
    body: Buffer.from(JSON.stringify(body)),
  });
  const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
  return [
    get(`${pod}/log?container=a&tailLines=3&follow=false`),
    get(`${pod}/exec?command=sh&stdin=true&tty=true`),
    get(`${pod}/portforward?ports=80`),
    get(`${pod}/proxy/a/b?c=d`),
    post(`${pod}/binding`, { apiVersion: 'v1', kind: 'Binding', target: { kind: 'Node', name: 'n1' } }),
    post(`${pod}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web', namespace } }),
    get(`${deployment}/scale`),
    patch(`${deployment}/scale`, 'merge', { spec: { replicas: 2 } }),
    post(`/api/v1/namespaces/${namespace}/serviceaccounts/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600, audiences: ['a'] },
    }),
  ];
}

function widgetRequests(namespace: string): readonly ApiRequest[] {
  const path = `/apis/${widgets.group}/${widgets.version}/namespaces/${namespace}/${widgets.plural}`;
  const object = {
    apiVersion: `${widgets.group}/${widgets.version}`,
    kind: widgets.kind,
    metadata: { name: 'w' },
    spec: { name: 'a', size: 1, tags: ['x', 'y'], any: { deep: [{ a: 1 }] } },
  };
  const bodies = [JSON.stringify(object), yamlOf(object)];
  const makes = bodies.map((body, index) => ({
    method: 'POST',
    target: path,
    headers: { 'content-type': index === 0 ? 'application/json' : 'application/yaml' },
    body: Buffer.from(body),
  }));
  return [...makes, ...reads(path, 'w'), ...writes(`${path}/w`, object), ...deletions(path, `${path}/w`)];
}

function fieldsOf({ kind, version }: KindDef): Fields {
  const found = ordinaryObjects.find(([of]) => of === kind || of === `${kind}.${version}`);
  const { metadata, ...fields } = found?.[1] ?? { spec: {} };
  return { metadata: { name: 'web', ...(metadata as object) }, ...fields };
}

function metadataName({ metadata }: Fields): string {
  return (metadata as { name?: string }).name ?? 'web';
}

function collectionPath({ group, version, plural, scope }: KindDef, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return scope === 'Cluster' ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

function get(target: string, headers: Readonly<Record<string, string>> = {}): ApiRequest {
  return { method: 'GET', target, headers, body: undefined };
}

function patch(target: string, form: 'json' | 'merge' | 'strategic-merge' | 'apply', body: unknown): ApiRequest {
  const type = form === 'apply' ? 'application/apply-patch+yaml' : `application/${form}-patch+json`;
  return { method: 'PATCH', target, headers: { 'content-type': type }, body: Buffer.from(JSON.stringify(body)) };
}

/** Block style, so that what reads YAML is asked and not what reads JSON. */
function yamlOf(value: unknown, indent = ''): string {
  if (Array.isArray(value) && value.length > 0)
    return value.map((item) => `\n${indent}- ${yamlOf(item, `${indent}  `).trimStart()}`).join('');
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return JSON.stringify(value);
  const lines = Object.entries(value).map(
    ([name, part]) => `\n${indent}${JSON.stringify(name)}: ${yamlOf(part, `${indent}  `)}`,
  );
  return indent === '' ? lines.join('').slice(1) : lines.join('');
}
