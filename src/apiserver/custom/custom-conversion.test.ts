import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually } from '#kit/eventually.ts';
import { definitionOf } from '#kit/kube-api/definition.ts';
import type { Json } from '#kit/kube-api/json.ts';
import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';

import type { CallWebhook } from '../admission/webhooks/call-webhook.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const path = (version: string): string => `/apis/example.com/${version}/namespaces/default/crontabs`;
const merge = 'application/merge-patch+json';
const apply = 'application/apply-patch+yaml';

/** In v1 the schedule is a text, in v2 a list. */
const schemas: Readonly<Record<string, object>> = {
  v1: { cron: { type: 'string' } },
  v2: { parts: { type: 'array', items: { type: 'string' } }, zone: { type: 'string', default: 'UTC' } },
};

const webhook = {
  strategy: 'Webhook',
  webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://converter.example.com/convert' } },
};

function definition(stored: string, conversion: object, fields: Readonly<Record<string, object>> = schemas): object {
  const versions = Object.entries(fields).map(([name, properties]) => ({
    name,
    served: true,
    storage: name === stored,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
    ...(name === 'v1' ? { selectableFields: [{ jsonPath: '.spec.cron' }] } : {}),
  }));
  return definitionOf('CronTab', 'crontabs', { versions, conversion });
}

interface Converter {
  readonly call: CallWebhook;
  /** Objects in each call. */
  readonly calls: number[];
  failure: string;
}

function converter(): Converter {
  const made: Converter = {
    calls: [],
    failure: '',
    call: async (_target, body) => {
      const { request } = body as Json;
      made.calls.push(request.objects.length);
      const result = made.failure === '' ? { status: 'Success' } : { status: 'Failure', message: made.failure };
      const convertedObjects = request.objects.map((one: Json) => convert(one, request.desiredAPIVersion));
      const response = { uid: request.uid, result, convertedObjects };
      return await Promise.resolve({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response });
    },
  };
  return made;
}

function convert({ spec = {}, ...object }: Json, apiVersion: string): Json {
  const { cron, parts, ...rest } = spec;
  const schedule = apiVersion.endsWith('/v1') ? { cron: (parts ?? []).join(' ') } : { parts: (cron ?? '').split(' ') };
  return { ...object, apiVersion, spec: { ...rest, ...schedule } };
}

const cron = (name: string, text = 'a b'): object => ({
  apiVersion: 'example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  spec: { cron: text },
});

async function define(api: MemoryApi, body: object): Promise<void> {
  await api.must(api.post(definitions, body));
  await eventually('it is served', async () => (await api.get(path('v2'))).status === 200);
}

/** Puts another specification in the place of a definition's. */
async function redefine(api: MemoryApi, body: Json): Promise<void> {
  await api.must(api.patch(`${definitions}/crontabs.example.com`, merge, { spec: body.spec }));
}

async function served(t: Parameters<typeof openMemoryApi>[0]): Promise<{ api: MemoryApi; hook: Converter }> {
  const hook = converter();
  const api = await openMemoryApi(t, { callWebhook: hook.call });
  await define(api, definition('v2', webhook));
  return { api, hook };
}

describe('custom resources that a webhook converts', () => {
  test('are stored in one version, and written and read in any', async (t) => {
    const { api } = await served(t);
    const made = await api.must(api.post(path('v1'), cron('a')));
    assert.deepEqual([made.apiVersion, made.spec], ['example.com/v1', { cron: 'a b' }]);
    const { spec } = await api.must(api.get(`${path('v2')}/a`));
    assert.deepEqual(spec, { parts: ['a', 'b'], zone: 'UTC' });
    await api.must(api.patch(`${path('v1')}/a`, merge, { spec: { cron: 'c d e' } }));
    await api.must(api.patch(`${path('v2')}/a`, merge, { metadata: { labels: { l: 'm' } } }));
    const applied = { ...cron('a', 'x y'), metadata: { name: 'a', annotations: { by: 'me' } } };
    const conflict = await api.patch(`${path('v1')}/a?fieldManager=me`, apply, applied);
    assert.equal(conflict.status, 409, conflict.text);
    await api.must(api.patch(`${path('v1')}/a?fieldManager=me&force=true`, apply, applied));
    const now = await api.must(api.get(`${path('v2')}/a`));
    assert.deepEqual(now.spec, { zone: 'UTC', parts: ['x', 'y'] });
    assert.deepEqual([now.metadata.labels, now.metadata.annotations], [{ l: 'm' }, { by: 'me' }]);
    const { metadata } = await api.must(api.get(`${path('v1')}/a`));
    await api.must(api.put(`${path('v1')}/a`, { ...cron('a', 'p'), metadata }));
    await api.must(api.delete(`${path('v1')}/a`));
    assert.equal((await api.get(`${path('v2')}/a`)).status, 404);
  });

  test('are listed with one call, selected by what the version shows, and converted once', async (t) => {
    const { api, hook } = await served(t);
    for (const name of ['a', 'b', 'c'])
      await api.must(
        api.post(path('v2'), {
          ...cron(name),
          apiVersion: 'example.com/v2',
          spec: { parts: [name], zone: 'CET' },
        }),
      );
    hook.calls.length = 0;
    const list = await api.must(api.get(path('v1')));
    assert.deepEqual(
      list.items.map((one: Json) => [one.apiVersion, one.spec.cron]),
      ['a', 'b', 'c'].map((name) => ['example.com/v1', name]),
    );
    assert.deepEqual(hook.calls, [3]);
    const found = await api.must(api.get(`${path('v1')}?fieldSelector=spec.cron%3Db`));
    assert.deepEqual(
      found.items.map((one: Json) => one.metadata.name),
      ['b'],
    );
    await api.must(api.get(`${path('v1')}/c`));
    assert.deepEqual(hook.calls, [3], 'nothing was converted twice');
    const pages = await api.must(api.get(`${path('v1')}?limit=2`));
    const rest = await api.must(api.get(`${path('v1')}?limit=2&continue=${pages.metadata.continue as string}`));
    assert.deepEqual(
      [...pages.items, ...rest.items].map((one: Json) => one.spec.cron),
      ['a', 'b', 'c'],
    );
  });

  test('are watched in the version that was asked for', async (t) => {
    const { api } = await served(t);
    await api.must(api.post(path('v1'), cron('a')));
    const watch = api.watch(`${path('v1')}?watch=true&fieldSelector=spec.cron%3Da%20b`);
    const read = async (): Promise<readonly unknown[]> => {
      const { type, object } = await watch.next();
      return [type, object.apiVersion, object.metadata.name, object.spec.cron];
    };
    assert.deepEqual(await read(), ['ADDED', 'example.com/v1', 'a', 'a b']);
    await api.must(api.post(path('v2'), { ...cron('b'), apiVersion: 'example.com/v2', spec: { parts: ['a', 'b'] } }));
    assert.deepEqual(await read(), ['ADDED', 'example.com/v1', 'b', 'a b']);
    await api.must(api.patch(`${path('v2')}/a`, merge, { spec: { parts: ['z'] } }));
    assert.deepEqual(await read(), ['DELETED', 'example.com/v1', 'a', 'a b']);
    await api.must(api.delete(`${path('v2')}/b`));
    assert.deepEqual(await read(), ['DELETED', 'example.com/v1', 'b', 'a b']);
    watch.end();
  });

  test('cannot be read while it refuses, which everybody is told', async (t) => {
    const { api, hook } = await served(t);
    await api.must(api.post(path('v2'), { ...cron('a'), apiVersion: 'example.com/v2', spec: { parts: ['a'] } }));
    const watch = api.watch(`${path('v1')}?watch=true&resourceVersion=1`);
    assert.equal((await watch.next()).object.spec.cron, 'a');
    hook.failure = 'I am out of order';
    await api.must(api.patch(`${path('v2')}/a`, merge, { spec: { parts: ['z'] } }));
    const message = 'conversion webhook for example.com/v2, Kind=CronTab failed: I am out of order';
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 };
    assert.deepEqual(await watch.next(), { type: 'ERROR', object: status });
    assert.equal(await watch.next(), undefined);
    for (const answer of [await api.get(`${path('v1')}/a`), await api.get(path('v1'))])
      assert.deepEqual(answer.body, status);
    const refused = await api.post(path('v1'), cron('b'));
    assert.match(refused.body.message, /^conversion webhook for example\.com\/v1, Kind=CronTab failed/);
    const initial = api.watch(`${path('v1')}?watch=true`);
    assert.equal((await initial.next()).type, 'ERROR');
    await api.must(api.get(`${path('v2')}/a`));
  });
});

describe('custom resources whose definition changes', () => {
  test('get the defaults of today and lose what is not known any more', async (t) => {
    const api = await openMemoryApi(t);
    await define(api, definition('v2', { strategy: 'None' }));
    await api.must(
      api.post(path('v2'), { ...cron('a'), apiVersion: 'example.com/v2', spec: { parts: ['p'], zone: 'CET' } }),
    );
    const fields = {
      v1: {},
      v2: { parts: { type: 'array', items: { type: 'string' } }, more: { type: 'integer', default: 3 } },
    };
    await redefine(api, definition('v2', { strategy: 'None' }, fields));
    await eventually('the new schema is in force', async () => {
      const { body } = await api.get(`${path('v2')}/a`);
      return JSON.stringify(body.spec) === '{"parts":["p"],"more":3}';
    });
    assert.deepEqual((await api.must(api.get(`${path('v1')}/a`))).spec, {});
  });

  test('are read in the new storage version while they are stored in the old one', async (t) => {
    const hook = converter();
    const api = await openMemoryApi(t, { callWebhook: hook.call });
    await define(api, definition('v1', webhook));
    await api.must(api.post(path('v1'), cron('a')));
    await redefine(api, definition('v2', webhook));
    await eventually('the new version is stored', async () => {
      const { body } = await api.get(`${definitions}/crontabs.example.com`);
      return body.status.storedVersions.length === 2;
    });
    const show = async (version: string): Promise<unknown> => (await api.must(api.get(`${path(version)}/a`))).spec;
    assert.deepEqual(await show('v2'), { parts: ['a', 'b'] });
    assert.deepEqual(await show('v1'), { cron: 'a b' });
    await api.must(api.patch(`${path('v2')}/a`, merge, { metadata: { labels: { l: 'm' } } }));
    assert.deepEqual(await show('v1'), { cron: 'a b' });
    assert.deepEqual(await show('v2'), { parts: ['a', 'b'], zone: 'UTC' });
  });
});
