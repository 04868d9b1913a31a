import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';

import { noise } from '#kit/image-room.ts';
import { HttpTransport } from './http-transport.ts';
import { discardBody, readBody } from './read-body.ts';

const never = new AbortController().signal;

/** A server of one answer, with the connections that it got. */
async function serve(answer: RequestListener) {
  const connections = new Set<Socket>();
  const server = createServer(answer).listen(0, '127.0.0.1');
  server.on('connection', (socket) => connections.add(socket));
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/path`);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url, connections, [Symbol.asyncDispose]: close };
}

test('a body that was read to its end leaves the connection for the next request', async () => {
  using transport = new HttpTransport({ idleTimeoutMs: 60_000 });
  await using server = await serve((request, response) => {
    request.resume();
    request.once('end', () => response.end(noise(200_000)));
  });
  for (const method of ['GET', 'POST', 'HEAD'] as const) {
    const response = await transport.send({ method, url: server.url, headers: {} }, never);
    assert.equal((await readBody(response, 200_000, 'it')).length, method === 'HEAD' ? 0 : 200_000);
  }
  assert.equal(server.connections.size, 1);
});

test('a body that is too large, or of no interest and long, is not read to its end', async () => {
  using transport = new HttpTransport({ idleTimeoutMs: 60_000 });
  await using server = await serve((_, response) => {
    const more = (): void => void (response.write(noise(50_000)) ? setImmediate(more) : response.once('drain', more));
    more();
  });
  const first = await transport.send({ method: 'GET', url: server.url, headers: {} }, never);
  await assert.rejects(readBody(first, 120_000, 'the manifest'), {
    reason: 'TooLarge',
    message: 'Cannot read the manifest: it is larger than 120000 bytes',
  });
  await discardBody(await transport.send({ method: 'GET', url: server.url, headers: {} }, never));
});

test('a stream is sent as fast as the server reads, and closed when the server refuses early', async () => {
  using transport = new HttpTransport({ idleTimeoutMs: 60_000 });
  let received = 0;
  await using server = await serve((request, response) => {
    if (request.method === 'PUT') {
      response.writeHead(413).end('no');
      // Unread bytes would reset the connection, and the answer with it.
      request.resume();
      return;
    }
    request.on('data', (chunk: Buffer) => (received += chunk.length));
    request.once('end', () => response.writeHead(202).end());
  });
  const closed = Promise.withResolvers<void>();
  const body = async function* (chunks: number): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < chunks; index += 1) yield noise(20_000, String(index));
    } finally {
      closed.resolve();
    }
  };
  const accepted = await transport.send({ method: 'PATCH', url: server.url, headers: {}, body: body(50) }, never);
  await discardBody(accepted);
  assert.deepEqual([accepted.status, received], [202, 1_000_000]);
  const refused = await transport.send({ method: 'PUT', url: server.url, headers: {}, body: body(1e9) }, never);
  assert.equal(refused.status, 413);
  await discardBody(refused);
  await closed.promise;
});

test("the caller's own failure and abort come back as they are", async () => {
  using transport = new HttpTransport({ idleTimeoutMs: 60_000 });
  await using server = await serve((request) => request.resume());
  const failure = new Error('the layer is gone');
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    throw failure;
  };
  await assert.rejects(
    transport.send({ method: 'PATCH', url: server.url, headers: {}, body: failing() }, never),
    failure,
  );
  const client = new AbortController();
  const waiting = transport.send({ method: 'GET', url: server.url, headers: {} }, client.signal);
  client.abort(new Error('the client left'));
  await assert.rejects(waiting, { message: 'the client left' });
  await assert.rejects(transport.send({ method: 'GET', url: server.url, headers: {} }, client.signal), {
    message: 'the client left',
  });
});

test('a connection that breaks is Unavailable, with the cause that decides whether to try again', async () => {
  using transport = new HttpTransport({ idleTimeoutMs: 60_000 });
  await using server = await serve((request, response) => {
    if (request.method === 'GET') response.writeHead(200, { 'content-length': 100 }).write('part');
    setImmediate(() => request.socket.destroy());
  });
  const isBroken = (error: unknown): boolean =>
    error instanceof Error &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === 'ECONNRESET';
  await assert.rejects(transport.send({ method: 'HEAD', url: server.url, headers: {} }, never), isBroken);
  const read = async (): Promise<void> =>
    await discardBody(await transport.send({ method: 'GET', url: server.url, headers: {} }, never));
  await assert.rejects(read(), isBroken);
});
