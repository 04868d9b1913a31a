import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { many, message, one } from '#formats/protobuf/message.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';

import { kinds } from '../kinds/kinds.ts';
import { OpenApiDocuments } from './openapi-documents.ts';
import type { OpenApiResource } from './openapi-document.ts';
import { openApiV2 } from './openapi-v2.ts';

type Json = Readonly<Record<string, unknown>>;

const spec = {
  type: 'object',
  required: ['free', 'maybe', 'sure'],
  properties: {
    sure: { type: 'string', anyOf: [{ pattern: 'a' }] },
    maybe: { type: 'array', nullable: true, items: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: { type: 'string' } } },
    list: { type: 'array', items: { type: 'object', nullable: true, properties: {} } },
    port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    map: { type: 'object', additionalProperties: { type: 'integer', nullable: true } },
  },
};
const widget: OpenApiResource = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
  verbs: ['get', 'list', 'create', 'patch'],
  subresources: [],
  schema: { type: 'struct', name: '', fields: new Map(), isAtomic: false, keepsUnknown: true, isEmbedded: false },
  jsonSchema: { type: 'object', properties: { spec } },
};
const documents = new OpenApiDocuments([...kinds, widget], 'v1.34.5');
const whole = JSON.parse(Buffer.from(documents.whole('json').unpacked()).toString()) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly definitions: Readonly<Record<string, { readonly properties: Readonly<Record<string, Json>> }>>;
};

const item = '/apis/apps/v1/namespaces/{namespace}/deployments/{name}';

describe('OpenAPI v2', () => {
  test('has operations with bodies and parameters of version 2', () => {
    const patch = whole.paths[item]?.['patch'] ?? {};
    assert.deepEqual(patch['consumes'], [
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
      'application/apply-patch+yaml',
    ]);
    assert.deepEqual((patch['parameters'] as Json[]).slice(0, 2), [
      {
        in: 'body',
        name: 'body',
        required: true,
        schema: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch' },
      },
      { name: 'dryRun', in: 'query', type: 'string', uniqueItems: true },
    ]);
    assert.deepEqual((patch['responses'] as Json)['200'], {
      description: 'OK',
      schema: { $ref: '#/definitions/io.k8s.api.apps.v1.Deployment' },
    });
  });

  test('says how lists merge, and names other types beside what it says of a field', () => {
    const pod = whole.definitions['io.k8s.api.core.v1.PodSpec']?.properties;
    assert.equal(pod?.['containers']?.['x-kubernetes-patch-merge-key'], 'name');
    assert.deepEqual(whole.definitions['io.k8s.api.apps.v1.Deployment']?.properties['spec'], {
      description: 'What is wanted.',
      $ref: '#/definitions/io.k8s.api.apps.v1.DeploymentSpec',
    });
    assert.deepEqual(whole.definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'], { type: 'string' });
    assert.deepEqual(whole.definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString'], {
      type: 'string',
      format: 'int-or-string',
    });
  });

  test('leaves out of custom resources what clients of version 2 cannot read', () => {
    assert.deepEqual(whole.definitions['com.example.v1.Widget']?.properties['spec'], {
      type: 'object',
      required: ['free', 'sure'],
      properties: {
        sure: { type: 'string' },
        maybe: {},
        free: { 'x-kubernetes-preserve-unknown-fields': true },
        list: { type: 'array', items: {} },
        port: { 'x-kubernetes-int-or-string': true },
        map: { type: 'object', additionalProperties: {} },
      },
    });
    const consumes = whole.paths['/apis/example.com/v1/namespaces/{namespace}/widgets/{name}']?.['patch']?.['consumes'];
    assert.ok(!(consumes as string[]).includes('application/strategic-merge-patch+json'));
  });

  test('refers to what is there', () => {
    for (const [, name = ''] of JSON.stringify(whole).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g))
      assert.ok(whole.definitions[name] !== undefined, name);
    assert.ok(!JSON.stringify(whole).includes('#/components/'));
    assert.deepEqual(openApiV2([]), {
      swagger: '2.0',
      info: {},
      paths: {},
      definitions: {},
      securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
      security: [{ BearerToken: [] }],
    });
  });

  test('is the same in protobuf', () => {
    const any = message({ yaml: one(2, 'string') });
    const namedAny = message({ name: one(1, 'string'), value: one(2, any) });
    const text = message({ value: many(1, 'string') });
    const leaf = message({ $ref: one(1, 'string'), description: one(4, 'string'), type: one(22, text) });
    const property = message({
      type: one(22, text),
      items: one(23, message({ schema: many(1, leaf) })),
      extensions: many(31, namedAny),
      $ref: one(1, 'string'),
    });
    const properties = message({ all: many(1, message({ name: one(1, 'string'), value: one(2, property) })) });
    const schema = message({
      required: many(19, 'string'),
      properties: one(25, properties),
      extensions: many(31, namedAny),
    });
    const definitions = message({ all: many(1, message({ name: one(1, 'string'), value: one(2, schema) })) });
    const operation = message({ id: one(5, 'string'), consumes: many(7, 'string'), extensions: many(13, namedAny) });
    const paths = message({
      all: many(2, message({ name: one(1, 'string'), value: one(2, message({ patch: one(8, operation) })) })),
    });
    const document = message({ swagger: one(1, 'string'), paths: one(8, paths), definitions: one(9, definitions) });

    const read = decodeMessage(document, documents.whole('protobuf').unpacked());
    assert.equal(read.swagger, '2.0');
    assert.deepEqual(
      read.definitions?.all.map(({ name }) => name),
      Object.keys(whole.definitions),
    );
    const pod = read.definitions?.all.find(({ name }) => name === 'io.k8s.api.core.v1.PodSpec')?.value;
    assert.deepEqual(pod?.required, ['containers']);
    const containers = pod?.properties?.all.find(({ name }) => name === 'containers')?.value;
    assert.deepEqual(containers?.type?.value, ['array']);
    assert.deepEqual(containers?.items?.schema[0]?.$ref, '#/definitions/io.k8s.api.core.v1.Container');
    assert.deepEqual(
      containers?.extensions.map(({ name, value }) => [name, value?.yaml]),
      [
        ['x-kubernetes-patch-merge-key', '"name"\n'],
        ['x-kubernetes-patch-strategy', '"merge"\n'],
        ['x-kubernetes-list-type', '"map"\n'],
        ['x-kubernetes-list-map-keys', '["name"]\n'],
      ],
    );
    const patch = read.paths?.all.find(({ name }) => name === item)?.value?.patch;
    assert.equal(patch?.consumes.length, 4);
    assert.deepEqual(patch?.extensions.at(-1), {
      name: 'x-kubernetes-group-version-kind',
      value: { yaml: '{"group":"apps","kind":"Deployment","version":"v1"}\n' },
    });
  });

  test('has a hash that changes with any of its parts', () => {
    const same = new OpenApiDocuments([...kinds, widget], 'v1.34.5');
    assert.equal(same.wholeHash(), documents.wholeHash());
    assert.notEqual(new OpenApiDocuments(kinds, 'v1.34.5').wholeHash(), documents.wholeHash());
    assert.ok(documents.whole('protobuf').gzip.length * 5 < documents.whole('protobuf').unpacked().length);
  });
});
