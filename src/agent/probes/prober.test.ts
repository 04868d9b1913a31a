import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';

import { createProber } from './prober.ts';

const never = new AbortController().signal;
const prober = createProber({
  createExec: () => assert.fail(),
  startExec: () => assert.fail(),
  exec: () => assert.fail(),
});

async function listen(t: TestContext, server: Pick<Server, 'listen' | 'address' | 'close' | 'once'>): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const target = (port: number) => ({
  container: { name: 'main', ports: [{ name: 'web', containerPort: port }] },
  containerId: 'c',
  address: '127.0.0.1',
});

test('HTTP: 200 to 399 is well, redirects on the same host are followed, a port may have a name', async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url ?? ''} ${request.headers['user-agent'] ?? ''} ${String(request.headers['x'])}`);
    if (request.url === '/moved') response.writeHead(302, { location: '/bad' }).end();
    else if (request.url === '/away') response.writeHead(302, { location: 'http://other.example/' }).end();
    else response.writeHead(request.url === '/bad' ? 503 : 204).end();
  });
  const port = await listen(t, server);
  const ask = async (path: string) =>
    prober({ httpGet: { path, port: 'web', httpHeaders: [{ name: 'X', value: 'y' }] } }, target(port), 2000, never);
  assert.deepEqual(await ask('/ok'), { ok: true, message: '' });
  assert.deepEqual(await ask('/away'), { ok: true, message: '' });
  assert.deepEqual(await ask('/moved'), { ok: false, message: 'HTTP probe failed with statuscode: 503' });
  assert.equal(seen[0], '/ok kube-probe/1.34 y');
  const nobody = await prober({ httpGet: { port: 1 } }, target(1), 2000, never);
  assert.match(nobody.message, /^Get "http:\/\/127\.0\.0\.1:1\/": connect ECONNREFUSED/);
  await assert.rejects(prober({ httpGet: { port: 'none' } }, target(1), 2000, never), {
    message: "couldn't find port: none",
  });
});

test('TCP: whether somebody listens', async (t) => {
  const port = await listen(t, createTcp());
  assert.equal((await prober({ tcpSocket: { port } }, target(port), 2000, never)).ok, true);
  assert.match(
    (await prober({ tcpSocket: { port: 1 } }, target(1), 2000, never)).message,
    /^dial tcp 127\.0\.0\.1:1: /,
  );
});

test('gRPC: whether the service says SERVING', async (t) => {
  const server = createHttp2();
  server.on('stream', (stream) => {
    const parts: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => parts.push(bytes));
    stream.on('end', () => {
      const service = Buffer.concat(parts).subarray(7).toString();
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      const isKnown = service === '' || service === 'live';
      stream.on('wantTrailers', () =>
        stream.sendTrailers(isKnown ? { 'grpc-status': '0' } : { 'grpc-status': '5', 'grpc-message': 'unknown' }),
      );
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, service === 'live' ? 2 : 1]));
    });
  });
  const port = await listen(t, server);
  const ask = async (service: string) => prober({ grpc: { port, service } }, target(port), 2000, never);
  assert.equal((await ask('')).ok, true);
  assert.deepEqual(await ask('live'), { ok: false, message: 'service unhealthy (responded with "NOT_SERVING")' });
  assert.deepEqual(await ask('x'), { ok: false, message: 'error: rpc error: code = 5 desc = unknown' });
});
