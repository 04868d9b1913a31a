import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually } from '#kit/eventually.ts';
import { definitionOf } from '#kit/kube-api/definition.ts';
import type { Json } from '#kit/kube-api/json.ts';
import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const crons = '/apis/example.com/v1/namespaces/default/crontabs';

function definition(more: object = {}): object {
  const version = (name: string, storage: boolean): object => ({
    name,
    served: true,
    storage,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            required: ['cronSpec'],
            properties: {
              cronSpec: { type: 'string' },
              replicas: { type: 'integer', minimum: 1, default: 1 },
            },
          },
          status: { type: 'object', properties: { replicas: { type: 'integer' } } },
        },
      },
    },
    subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
    additionalPrinterColumns: [{ name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' }],
  });
  return definitionOf('CronTab', 'crontabs', {
    names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
    versions: [version('v1', true), version('v1beta1', false)],
    ...more,
  });
}

async function define(api: MemoryApi, more: object = {}): Promise<void> {
  await api.must(api.post(definitions, definition(more)));
  await eventually('the definition is established', async () => {
    const { body } = await api.get(`${definitions}/crontabs.example.com`);
    return JSON.stringify(body.status ?? {}).includes('"type":"Established"');
  });
}

function cron(name: string, spec: object = { cronSpec: '* * * * *' }): object {
  return { apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name }, spec };
}

describe('custom resources', () => {
  test('are served with defaults, pruning and rules', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    const made = await api.must(api.post(crons, cron('a', { cronSpec: 'x', soup: true })));
    assert.deepEqual(made.spec, { cronSpec: 'x', replicas: 1 });
    const strict = await api.post(`${crons}?fieldValidation=Strict`, cron('b', { cronSpec: 'x', soup: true }));
    assert.equal(strict.status, 400);
    assert.match(strict.body.message, /unknown field "spec\.soup"/);
    const wrong = await api.post(crons, cron('c', { cronSpec: 1 }));
    assert.equal(wrong.status, 422);
    assert.match(
      wrong.body.message,
      /spec\.cronSpec: Invalid value: "integer": spec\.cronSpec in body must be of type string/,
    );
    const table = await api.must(api.get(crons, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }));
    assert.equal(table.rows[0].cells[1], 'x');
  });

  test('have versions of one object', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    await api.must(api.post(crons, cron('a')));
    const other = await api.must(api.get('/apis/example.com/v1beta1/namespaces/default/crontabs/a'));
    assert.equal(other.apiVersion, 'example.com/v1beta1');
    const list = await api.must(api.get('/apis/example.com/v1beta1/crontabs'));
    assert.deepEqual(
      list.items.map((one: Json) => one.apiVersion),
      ['example.com/v1beta1'],
    );
  });

  test('are scaled, and have a status of their own', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    await api.must(api.post(crons, { ...cron('a'), status: { replicas: 3 } }));
    assert.equal((await api.must(api.get(`${crons}/a`))).status, undefined);
    const merge = 'application/merge-patch+json';
    await api.must(api.patch(`${crons}/a/status`, merge, { status: { replicas: 2 }, spec: { cronSpec: 'no' } }));
    const scale = await api.must(api.patch(`${crons}/a/scale`, merge, { spec: { replicas: 5 } }));
    assert.deepEqual([scale.spec.replicas, scale.status.replicas], [5, 2]);
    const now = await api.must(api.get(`${crons}/a`));
    assert.deepEqual([now.spec, now.status], [{ cronSpec: '* * * * *', replicas: 5 }, { replicas: 2 }]);
    assert.equal((await api.patch(`${crons}/a`, 'application/strategic-merge-patch+json', {})).status, 415);
  });

  test('are applied, watched and shown by discovery and OpenAPI', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    const watch = api.watch(`${crons}?watch=true`);
    const applied = await api.patch(`${crons}/a?fieldManager=me`, 'application/apply-patch+yaml', cron('a'));
    assert.equal(applied.status, 201, applied.text);
    assert.deepEqual(await watch.names(1), ['ADDED a']);
    watch.end();
    const found = await api.must(api.get('/apis/example.com/v1'));
    assert.deepEqual(
      found.resources.map((one: Json) => one.name),
      ['crontabs', 'crontabs/status', 'crontabs/scale'],
    );
    assert.ok('apis/example.com/v1' in (await api.must(api.get('/openapi/v3'))).paths);
    const { text } = await api.get('/openapi/v3/apis/example.com/v1');
    assert.ok(text.includes('application/merge-patch+json') && !text.includes('strategic-merge-patch'));
    const whole = await api.get('/openapi/v2', { accept: '*/*' });
    assert.ok('com.example.v1.CronTab' in whole.body.definitions);
    const known = { 'if-none-match': String(whole.headers['etag']) };
    assert.equal((await api.get('/openapi/v2', known)).status, 304);
    const type = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const { headers } = await api.get('/openapi/v2', { accept: type, 'accept-encoding': 'gzip' });
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(headers['content-type'], type.replace('@', '.'));
    assert.equal((await api.get('/openapi/v2', { accept: 'text/html' })).status, 406);
  });

  test('go with their definition', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    await api.must(api.post(crons, cron('a')));
    await api.must(api.delete(`${definitions}/crontabs.example.com`));
    await eventually(
      'the definition is gone',
      async () => (await api.get(`${definitions}/crontabs.example.com`)).status === 404,
    );
    await eventually('they are not served', async () => (await api.get(crons)).status === 404);
    await define(api);
    assert.deepEqual((await api.must(api.get(crons))).items, []);
  });

  test('whose names are taken are not served', async (t) => {
    const api = await openMemoryApi(t);
    await define(api);
    const other = {
      ...definition({ names: { plural: 'others', kind: 'CronTab' } }),
      metadata: { name: 'others.example.com' },
    };
    await api.must(api.post(definitions, other));
    await eventually('it says why', async () => {
      const { body } = await api.get(`${definitions}/others.example.com`);
      return JSON.stringify(body.status ?? {}).includes('\\"CronTab\\" is already in use');
    });
    assert.equal((await api.get('/apis/example.com/v1/others')).status, 404);
  });
});
