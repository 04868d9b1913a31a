import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { builtinResources } from './builtin-resources.ts';
import { builtinSchema } from './builtin-schemas.ts';
import type { OpenApiResource } from './openapi-document.ts';
import { OpenApiDocuments } from './openapi-documents.ts';

const builtin: readonly OpenApiResource[] = builtinResources().map((resource) => {
  const schema = builtinSchema(resource.group, resource.version, resource.kind);
  assert.ok(schema !== undefined);
  return { ...resource, schema };
});

const widget: OpenApiResource = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  scope: 'Namespaced',
  verbs: ['get', 'list', 'create', 'patch'],
  subresources: [{ name: 'status', body: undefined, verbs: ['get', 'patch', 'update'] }],
  schema: { type: 'struct', name: '', fields: new Map(), isAtomic: false, keepsUnknown: true, isEmbedded: false },
  jsonSchema: { type: 'object', properties: { spec: { type: 'object', description: 'What it shall be.' } } },
};

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Component> };
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string }[];
  readonly 'x-kubernetes-group-version-kind': unknown;
}
interface Component {
  readonly properties?: Record<string, Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: unknown;
}

const documents = new OpenApiDocuments([...builtin, widget], 'v1.34.5');

function read(path: string): Document {
  const file = documents.file(path);
  assert.ok(file !== undefined, path);
  return JSON.parse(Buffer.from(file.unpacked()).toString()) as Document;
}

describe('OpenAPI v3', () => {
  test('the index names each group version with a hash', () => {
    const { paths } = documents.index() as { paths: Record<string, { serverRelativeURL: string }> };
    assert.match(paths['apis/apps/v1']?.serverRelativeURL ?? '', /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/);
    assert.ok(paths['api/v1'] !== undefined && paths['apis/example.com/v1'] !== undefined);
    assert.equal(documents.file('apis/nothing/v1'), undefined);
  });

  test('PATCH says its kind and parameters, without which kubectl refuses', () => {
    const patch = read('apis/apps/v1').paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
    const names = patch?.parameters?.map(({ name }) => name);
    assert.deepEqual(names, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], { group: 'apps', kind: 'Deployment', version: 'v1' });
  });

  test('types say how lists merge', () => {
    const { schemas } = read('api/v1').components;
    assert.deepEqual(schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['containers'], {
      type: 'array',
      items: { $ref: '#/components/schemas/io.k8s.api.core.v1.Container' },
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    });
    assert.deepEqual(schemas['io.k8s.api.core.v1.PodSpec']?.required, ['containers']);
    assert.deepEqual(schemas['io.k8s.api.core.v1.Pod']?.['x-kubernetes-group-version-kind'], [
      { group: '', kind: 'Pod', version: 'v1' },
    ]);
    assert.deepEqual(schemas['io.k8s.api.core.v1.ServicePort']?.properties?.['protocol'], {
      type: 'string',
      default: 'TCP',
    });
  });

  test('fields that most kinds have are described', () => {
    const { schemas } = read('apis/apps/v1').components;
    assert.deepEqual(schemas['io.k8s.api.apps.v1.Deployment']?.properties?.['spec'], {
      allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' }],
      description: 'What is wanted.',
    });
    const meta = schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']?.properties;
    for (const [name, property] of Object.entries(meta ?? {}))
      assert.equal(typeof property['description'], name === 'selfLink' ? 'undefined' : 'string', name);
  });

  test('subresources have bodies of their own', () => {
    const { paths } = read('api/v1');
    const eviction = paths['/api/v1/namespaces/{namespace}/pods/{name}/eviction']?.['post'];
    assert.deepEqual(eviction?.['x-kubernetes-group-version-kind'], {
      group: 'policy',
      kind: 'Eviction',
      version: 'v1',
    });
    assert.equal(paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['post'], undefined);
    assert.ok(paths['/api/v1/namespaces/{namespace}/pods']?.['post'] !== undefined);
    assert.ok(paths['/api/v1/pods']?.['get'] !== undefined);
  });

  test('references lead somewhere, and operations have names of their own', () => {
    for (const path of Object.keys((documents.index() as { paths: object }).paths)) {
      const document = read(path);
      for (const [, name = ''] of JSON.stringify(document).matchAll(/#\/components\/schemas\/([^"]+)/g))
        assert.ok(document.components.schemas[name] !== undefined, `${path}: ${name}`);
      const ids = Object.values(document.paths).flatMap((one) =>
        Object.values(one).flatMap(({ operationId }) => (operationId === undefined ? [] : [operationId])),
      );
      assert.deepEqual(ids, [...new Set(ids)]);
    }
  });

  test('custom resources have the schema of their definition, with metadata', () => {
    const { schemas } = read('apis/example.com/v1').components;
    const component = schemas['com.example.v1.Widget'];
    assert.deepEqual(Object.keys(component?.properties ?? {}), ['spec', 'apiVersion', 'kind', 'metadata']);
    assert.deepEqual(component?.properties?.['spec'], { type: 'object', description: 'What it shall be.' });
    assert.ok(schemas['com.example.v1.WidgetList'] !== undefined);
  });

  test('a hash changes with what the document is made from, and what did not change is taken over', () => {
    const hash = (of: OpenApiDocuments, path: string) => of.file(path)?.hash;
    const other = new OpenApiDocuments([...builtin, { ...widget, jsonSchema: { type: 'object' } }], 'v1.34.5');
    assert.notEqual(hash(other, 'apis/example.com/v1'), hash(documents, 'apis/example.com/v1'));
    const next = new OpenApiDocuments([...builtin, { ...widget, jsonSchema: { type: 'object' } }], 'v1.34.5');
    const file = documents.file('apis/apps/v1');
    next.adopt(documents);
    assert.equal(next.file('apis/apps/v1'), file);
    assert.notEqual(next.file('apis/example.com/v1'), documents.file('apis/example.com/v1'));
  });

  test('is kept compressed', () => {
    const file = documents.file('api/v1');
    assert.ok(file !== undefined);
    assert.deepEqual(gunzipSync(file.gzip), Buffer.from(file.unpacked()));
    assert.ok(file.gzip.length * 5 < file.unpacked().length);
  });
});
