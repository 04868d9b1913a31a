import assert from 'node:assert/strict';
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { duplexPair } from 'node:stream';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { kindOf } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import type { ConfigMap } from '#kube/types/gen/core-v1.ts';

import type { ApiTarget } from './api-target.ts';
import { Http2Transport } from './http2-transport.ts';

const configMaps = kindOf<ConfigMap>(configMap);
const key = { namespace: 'ns', name: 'a' };
const { signal } = new AbortController();

describe('the transport', () => {
  test('carries requests and answers over one connection', async () => {
    await using server = new Server((stream, headers, body) => {
      reply(stream, 200, {
        metadata: { name: 'a' },
        data: { asked: `${String(headers[':method'])} ${String(headers[':path'])}`, body },
      });
    });
    const client = createClient(server.transport);
    const got = await client.get(configMaps, key, signal);
    assert.equal(got.data?.['asked'], 'GET /api/v1/namespaces/ns/configmaps/a');
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: key,
      data: { long: 'x'.repeat(300_000) },
    };
    const [one, two] = await Promise.all([
      client.update(configMaps, object, {}, signal),
      client.apply(configMaps, object, { fieldManager: 'me' }, signal),
    ]);
    assert.equal(one.data?.['body'], JSON.stringify(object));
    assert.equal(two.data?.['asked'], 'PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=me');
    assert.equal(server.connections, 1);
  });

  test('says who we are, with the token of now', async () => {
    const seen: unknown[] = [];
    await using server = new Server((stream, headers) => {
      seen.push(headers['authorization'], headers['user-agent'], headers['accept']);
      reply(stream, 200, { metadata: {} });
    });
    const client = createClient(server.transport);
    await client.get(configMaps, key, signal);
    server.token = 'two';
    await client.get(configMaps, key, signal);
    assert.deepEqual(seen, ['Bearer one', 'test/1', 'application/json', 'Bearer two', 'test/1', 'application/json']);
  });

  test('gives refusals as the server says them', async () => {
    await using server = new Server((stream) => {
      stream.respond({ ':status': 429, 'retry-after': '7' });
      stream.end('{"kind":"Status","status":"Failure","reason":"TooManyRequests","message":"later","code":429}');
    });
    await assert.rejects(createClient(server.transport).get(configMaps, key, signal), {
      statusReason: 'TooManyRequests',
      retryAfterMs: 7000,
    });
  });

  test('opens another connection after one was lost', async () => {
    await using server = new Server((stream) => reply(stream, 200, { metadata: {} }));
    const client = createClient(server.transport);
    await client.get(configMaps, key, signal);
    server.dropAll();
    await server.settled();
    await client.get(configMaps, key, signal);
    assert.equal(server.connections, 2);
  });

  test('sends again what the server has refused to begin, once', async () => {
    let refusals = 1;
    await using server = new Server((stream) => {
      if (refusals-- > 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else reply(stream, 200, { metadata: { name: 'a' } });
    });
    const client = createClient(server.transport);
    assert.equal(
      (await client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: key }, {}, signal)).metadata
        .name,
      'a',
    );
    refusals = 2;
    await assert.rejects(client.get(configMaps, key, signal), { reason: 'Unavailable' });
  });

  test('does not send again what may have been begun', async () => {
    let requests = 0;
    await using server = new Server((stream) => {
      requests += 1;
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    await assert.rejects(createClient(server.transport).delete(configMaps, key, {}, signal), (error) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.reason, 'Unavailable');
      assert.match(error.message, /^Cannot reach the Kubernetes API at https:\/\/api\.test: /);
      return true;
    });
    assert.equal(requests, 1);
  });

  test('fails when an answer breaks off', async () => {
    await using server = new Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('{"metadata":');
      setImmediate(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
    await assert.rejects(createClient(server.transport).get(configMaps, key, signal), { reason: 'Unavailable' });
  });

  test('follows a watch, and leaves it with the signal', async () => {
    const ended = Promise.withResolvers<void>();
    await using server = new Server((stream) => {
      stream.once('close', ended.resolve);
      stream.respond({ ':status': 200 });
      stream.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
    });
    const stop = new AbortController();
    const names: unknown[] = [];
    const watching = (async () => {
      for await (const { object } of createClient(server.transport).watch(configMaps, {}, stop.signal)) {
        names.push(object.metadata.name);
        stop.abort();
      }
    })();
    await assert.rejects(watching, { name: 'AbortError' });
    await ended.promise;
    assert.deepEqual(names, ['a']);
  });

  test('gives up a request with its signal', async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    await using server = new Server((stream) => {
      stream.once('close', ended.resolve);
      begun.resolve();
    });
    const stop = new AbortController();
    const failing = createClient(server.transport).get(configMaps, key, stop.signal);
    await Promise.all([begun.promise.then(() => stop.abort()), assert.rejects(failing, { name: 'AbortError' })]);
    await ended.promise;
    await assert.rejects(createClient(server.transport).get(configMaps, key, stop.signal), { name: 'AbortError' });
  });
});

type Handler = (stream: ServerHttp2Stream, headers: Record<string, unknown>, body: string) => void;

/** An HTTP/2 server at the other end of a pipe. */
class Server implements AsyncDisposable {
  readonly transport: Http2Transport;
  connections = 0;
  token = 'one';
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(handler: Handler) {
    const target: ApiTarget = {
      origin: 'https://api.test',
      authoritiesPem: undefined,
      serverName: undefined,
      isInsecure: false,
      credentials: { token: () => this.token },
      namespace: 'default',
    };
    const openConnection = (): ReturnType<typeof duplexPair>[number] => {
      const [ours, theirs] = duplexPair();
      this.#serve(performServerHandshake(theirs), handler);
      return ours;
    };
    this.transport = new Http2Transport(target, { userAgent: 'test/1', openConnection });
  }

  dropAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** Lets what is in the pipes arrive. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport[Symbol.asyncDispose]();
    this.dropAll();
  }

  #serve(session: ServerHttp2Session, handler: Handler): void {
    this.connections += 1;
    this.#sessions.add(session);
    session.on('error', () => {});
    session.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => handler(stream, headers, Buffer.concat(chunks).toString()));
    });
  }
}

function reply(stream: ServerHttp2Stream, status: number, value: object): void {
  stream.respond({ ':status': status, 'content-type': 'application/json' });
  stream.end(JSON.stringify(value));
}
