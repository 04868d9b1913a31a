import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { MemoryApi } from '#kit/memory-api.ts';

import { configMap } from '../kinds/core/config-map.ts';
import { deployment } from '../kinds/apps/deployment.ts';
import { namespace } from '../kinds/core/namespace.ts';
import { ApiError } from '../status.ts';
import type { ConfigMap } from '../types/gen/core-v1.ts';
import { kindOf, keyOf, keyText, parseKey, type WatchEvent } from './client.ts';
import { createClient } from './create-client.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';

const configMaps = kindOf<ConfigMap>(configMap);
const { signal } = new AbortController();

describe('a client', () => {
  test('creates, reads, changes, lists and deletes', async () => {
    const client = createClient(new MemoryApi());
    const key = { namespace: 'default', name: 'a' };
    const created = await client.create(configMaps, map('a', { x: '1' }), {}, signal);
    assert.equal(created.metadata.namespace, 'default');
    assert.deepEqual((await client.get(configMaps, key, signal)).data, { x: '1' });
    const patched = await client.patch(configMaps, key, { type: 'merge', body: { data: { y: '2' } } }, {}, signal);
    assert.deepEqual(patched.data, { x: '1', y: '2' });
    await assert.rejects(client.update(configMaps, created, {}, signal), { statusReason: 'Conflict', code: 409 });
    await client.update(configMaps, { ...patched, data: {} }, {}, signal);
    const list = await client.list(configMaps, { namespace: 'default' }, signal);
    assert.deepEqual([list.items.map(keyOf), list.items[0]?.kind, list.continue], [[key], 'ConfigMap', '']);
    await client.delete(configMaps, key, {}, signal);
    await assert.rejects(client.get(configMaps, key, signal), {
      statusReason: 'NotFound',
      message: 'configmaps "a" not found',
    });
  });

  test('watches from a version', async () => {
    const api = new MemoryApi();
    const client = createClient(api);
    const { resourceVersion } = await client.list(configMaps, {}, signal);
    api.put('/api/v1/namespaces/default/configmaps/a', map('a', {}));
    api.put('/api/v1/namespaces/other/configmaps/b', map('b', {}));
    const stop = new AbortController();
    const seen: WatchEvent<ConfigMap>[] = [];
    const watching = (async () => {
      for await (const event of client.watch(configMaps, { namespace: 'default', resourceVersion }, stop.signal)) {
        seen.push(event);
        if (event.type === 'ADDED') api.remove('/api/v1/namespaces/default/configmaps/a');
        else stop.abort();
      }
    })();
    await assert.rejects(watching, { name: 'AbortError' });
    assert.deepEqual(
      seen.map(({ type, object }) => [type, object.metadata.name]),
      [
        ['ADDED', 'a'],
        ['DELETED', 'a'],
      ],
    );
    assert.equal(api.watchers, 0);
  });

  test('says when a version is too old', async () => {
    const api = new MemoryApi();
    api.put('/api/v1/namespaces/default/configmaps/a', map('a', {}));
    api.compact();
    const watch = createClient(api).watch(configMaps, { resourceVersion: '1' }, signal);
    await assert.rejects(drain(watch), { statusReason: 'Expired', code: 410 });
  });
});

describe('requests', () => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'ns' } };
  const key = { namespace: 'ns', name: 'web' };
  const rows: readonly (readonly [
    string,
    (client: ReturnType<typeof createClient>) => Promise<unknown>,
    string,
    string?,
  ])[] = [
    ['get', (client) => client.get(deployment, key, signal), 'GET /apis/apps/v1/namespaces/ns/deployments/web'],
    ['get of a cluster-wide kind', (client) => client.get(namespace, key, signal), 'GET /api/v1/namespaces/web'],
    [
      'get of a strange name',
      (client) => client.get(namespace, { namespace: '', name: 'a/b?' }, signal),
      'GET /api/v1/namespaces/a%2Fb%3F',
    ],
    [
      'list',
      (client) =>
        client.list(
          deployment,
          { labelSelector: 'a=b,c', fieldSelector: 'metadata.name=x', limit: 5, continue: 'next' },
          signal,
        ),
      'GET /apis/apps/v1/deployments?labelSelector=a%3Db%2Cc&fieldSelector=metadata.name%3Dx&limit=5&continue=next',
    ],
    [
      'watch',
      (client) => drain(client.watch(deployment, { sendInitialEvents: true, timeoutSeconds: 7 }, signal)),
      'GET /apis/apps/v1/deployments?watch=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=7',
    ],
    [
      'create',
      (client) =>
        client.create(deployment, object, { fieldManager: 'me', dryRun: true, fieldValidation: 'Strict' }, signal),
      'POST /apis/apps/v1/namespaces/ns/deployments?fieldManager=me&fieldValidation=Strict&dryRun=All',
      'application/json',
    ],
    [
      'create of a subresource',
      (client) => client.create(deployment, object, { subresource: 'eviction' }, signal),
      'POST /apis/apps/v1/namespaces/ns/deployments/web/eviction',
      'application/json',
    ],
    [
      'update of the status',
      (client) => client.update(deployment, object, { subresource: 'status' }, signal),
      'PUT /apis/apps/v1/namespaces/ns/deployments/web/status',
      'application/json',
    ],
    [
      'apply',
      (client) => client.apply(deployment, object, { fieldManager: 'me', force: true }, signal),
      'PATCH /apis/apps/v1/namespaces/ns/deployments/web?fieldManager=me&force=true',
      'application/apply-patch+yaml',
    ],
    [
      'JSON patch',
      (client) => client.patch(deployment, key, { type: 'json', operations: [] }, {}, signal),
      'PATCH /apis/apps/v1/namespaces/ns/deployments/web',
      'application/json-patch+json',
    ],
    [
      'strategic patch',
      (client) => client.patch(deployment, key, { type: 'strategic', body: {} }, {}, signal),
      'PATCH /apis/apps/v1/namespaces/ns/deployments/web',
      'application/strategic-merge-patch+json',
    ],
    [
      'delete',
      (client) =>
        client.delete(
          deployment,
          key,
          { propagationPolicy: 'Foreground', preconditions: { uid: 'u' }, dryRun: true },
          signal,
        ),
      'DELETE /apis/apps/v1/namespaces/ns/deployments/web',
      'application/json',
    ],
  ];
  for (const [name, call, line, contentType] of rows) {
    test(name, async () => {
      const transport = new Recorder(200, '{"kind":"X","metadata":{},"items":[]}');
      await call(createClient(transport)).catch(() => undefined);
      const [request] = transport.requests;
      assert.equal(`${String(request?.method)} ${String(request?.path)}`, line);
      assert.equal(request?.contentType, contentType);
    });
  }

  test('the body of a delete says what it wants', async () => {
    const transport = new Recorder(200, '{}');
    await createClient(transport).delete(deployment, key, { preconditions: { uid: 'u' }, dryRun: true }, signal);
    const body: unknown = JSON.parse(transport.requests[0]?.body ?? '');
    assert.deepEqual(body, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u' }, dryRun: ['All'] });
  });

  test('an object without a name is not asked for', async () => {
    const client = createClient(new Recorder(200, '{}'));
    await assert.rejects(client.get(deployment, { namespace: 'ns', name: '' }, signal), { reason: 'InvalidArgument' });
  });
});

describe('answers', () => {
  const rows: readonly (readonly [string, number, string, object])[] = [
    [
      'a Status is an ApiError',
      409,
      '{"kind":"Status","status":"Failure","message":"no","reason":"Conflict","code":409,"details":{"name":"x","causes":[{"reason":"FieldManagerConflict","message":"m","field":".a"}]}}',
      {
        statusReason: 'Conflict',
        message: 'no',
        details: { name: 'x', causes: [{ reason: 'FieldManagerConflict', message: 'm', field: '.a' }] },
      },
    ],
    [
      'a Status without a known reason goes by its code',
      422,
      '{"kind":"Status","status":"Failure","reason":"New","code":422}',
      { statusReason: 'Invalid' },
    ],
    [
      'a refusal that is no Status goes by its HTTP status',
      503,
      'overloaded',
      { statusReason: 'ServiceUnavailable', message: 'the server answered with HTTP status 503: overloaded' },
    ],
    ['an unknown HTTP status is internal', 599, '', { statusReason: 'InternalError' }],
    ['what is no JSON is damaged', 200, '<html>', { reason: 'Damaged' }],
    ['what is no object is damaged', 200, '[]', { reason: 'Damaged' }],
  ];
  for (const [name, status, body, expected] of rows) {
    test(name, () =>
      assert.rejects(
        createClient(new Recorder(status, body)).get(configMaps, { namespace: 'a', name: 'b' }, signal),
        expected,
      ),
    );
  }

  test('say when to come again', async () => {
    const transport = new Recorder(
      429,
      '{"kind":"Status","status":"Failure","reason":"TooManyRequests","message":"later","code":429}',
      3,
    );
    const failure = createClient(transport).list(configMaps, {}, signal);
    await assert.rejects(failure, (error) => error instanceof ApiError && error.retryAfterMs === 3000);
  });

  test('of a list are of its kind', async () => {
    for (const body of ['[]', '{"items":[]}', '{"items":[1],"metadata":{}}', '{"items":{},"metadata":{}}'])
      await assert.rejects(createClient(new Recorder(200, body)).list(configMaps, {}, signal), { reason: 'Damaged' });
    assert.deepEqual(
      await createClient(new Recorder(200, '{"items":null,"metadata":{}}')).list(configMaps, {}, signal),
      {
        items: [],
        resourceVersion: '',
        continue: '',
      },
    );
  });

  test('of a watch are events, whatever pieces they come in', async () => {
    const lines =
      '{"type":"ADDED","object":{"metadata":{"name":"ä"}}}\n\n{"type":"BOOKMARK","object":{"metadata":{}}}\n{"type":"DELETED","obj';
    const events = await drain(createClient(new Recorder(200, lines)).watch(configMaps, {}, signal));
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.metadata.name]),
      [
        ['ADDED', 'ä'],
        ['BOOKMARK', undefined],
      ],
    );
    const error =
      '{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","message":"old","code":410}}\n';
    await assert.rejects(drain(createClient(new Recorder(200, error)).watch(configMaps, {}, signal)), {
      statusReason: 'Expired',
    });
    for (const odd of ['1\n', '{"type":"X","object":{"metadata":{}}}\n', '{"type":"ERROR"}\n', 'x\n'])
      await assert.rejects(drain(createClient(new Recorder(200, odd)).watch(configMaps, {}, signal)), StatusError);
  });
});

test('keys are written and read', () => {
  for (const key of [
    { namespace: 'a', name: 'b' },
    { namespace: '', name: 'c' },
  ])
    assert.deepEqual(parseKey(keyText(key)), key);
});

/** Gives one answer, byte by byte, and keeps what it was asked. */
class Recorder implements Transport {
  readonly requests: ApiRequest[] = [];
  readonly #status: number;
  readonly #body: string;
  readonly #retryAfterSeconds: number | undefined;

  constructor(status: number, body: string, retryAfterSeconds?: number) {
    this.#status = status;
    this.#body = body;
    this.#retryAfterSeconds = retryAfterSeconds;
  }

  async send(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    return { status: this.#status, retryAfterSeconds: this.#retryAfterSeconds, body: bytesOf(this.#body) };
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  for (const byte of Buffer.from(text)) yield Uint8Array.of(byte);
}

async function drain<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function map(name: string, data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}
