import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { holdAll, PortAllocator } from '#engine/network/ports/port-allocator.ts';
import { holdPort } from '#engine/network/ports/port-holder.ts';
import { TcpRelay } from '#engine/network/ports/tcp-relay.ts';
import { bindInetSocket, closeInetSocket } from '#sys/inet-socket.ts';

import { eventually } from '../../kit/eventually.ts';
import { serveUdp, udpClient } from './peers.ts';
import { ip, port } from '../../kit/private-host.ts';

const owner = { containerName: 'web', endpointId: 'e'.repeat(64), address: '10.0.0.2' };

test('a relay carries megabytes both ways and ends each way alone', async (t) => {
  const target = await serve(t, (socket) => socket.pipe(socket));
  using relay = openRelay(target);
  const sent = randomBytes(3_000_000);
  const client = connect({ host: '127.0.0.1', port: relay.port, allowHalfOpen: true });
  client.end(sent);
  assert.ok(sent.equals(await readAll(client)), 'the half-closed connection got all of it back');
});

test('a server that speaks first, and one that ends first, are heard to their last byte', async (t) => {
  const answer = randomBytes(500_000);
  const target = await serve(t, (socket) => socket.end(answer));
  using relay = openRelay(target);
  for (let round = 0; round < 5; round += 1) {
    const client = connect({ host: '127.0.0.1', port: relay.port, allowHalfOpen: true });
    assert.ok(answer.equals(await readAll(client)));
    client.destroy();
  }
});

test('a client that breaks off ends the connection to the container, and the other way round', async (t) => {
  const accepted: Socket[] = [];
  const target = await serve(t, (socket) => accepted.push(socket));
  using relay = openRelay(target);
  const leaving = connect(relay.port, '127.0.0.1');
  const first = await eventually('the relay connected', () => accepted[0]);
  const over = once(first.resume(), 'end');
  leaving.resetAndDestroy();
  await over;
  const staying = connect(relay.port, '127.0.0.1');
  const second = await eventually('the relay connected again', () => accepted[1]);
  const ended = once(staying.resume(), 'close');
  staying.on('error', () => {});
  second.resetAndDestroy();
  await ended;
});

test('without a container, or with one that refuses, the client is told at once', async () => {
  const nobody = bindInetSocket('tcp', ip('127.0.0.1'), 0);
  closeInetSocket(nobody);
  for (const target of [undefined, { address: '127.0.0.1', port: nobody.port }]) {
    const { fd, port: relayPort } = bindInetSocket('tcp', ip('127.0.0.1'), 0);
    using _relay = new TcpRelay(fd, () => target);
    const client = connect(relayPort, '127.0.0.1');
    client.on('error', () => {});
    await once(client.resume(), 'close');
  }
});

test('disposing a relay ends what it carries and frees its port', async (t) => {
  const target = await serve(t, (socket) => socket.write('hello'));
  const { fd, port: relayPort } = bindInetSocket('tcp', ip('127.0.0.1'), 0);
  const relay = new TcpRelay(fd, () => target);
  const client = connect(relayPort, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'data');
  client.resume();
  const closed = once(client, 'close');
  relay[Symbol.dispose]();
  await closed;
  await eventually('the port is free', () => {
    closeInetSocket(bindInetSocket('tcp', ip('127.0.0.1'), relayPort));
    return true;
  });
});

test('datagrams of several clients come back to the right one', async () => {
  const inner = holdPort({ containerPort: 1, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0 });
  const innerPort = inner.port.hostPort;
  inner[Symbol.dispose]();
  using _server = serveUdp(undefined, innerPort, 'container', '127.0.0.1');
  using holder = holdPort({ containerPort: innerPort, protocol: 'udp', hostIp: '::1', hostPort: 0 });
  holder.relay(() => ({ address: '127.0.0.1', port: innerPort }));
  const clients = Array.from({ length: 20 }, () => udpClient(undefined, 6));
  const replies = await Promise.all(clients.map((client) => client.ask('::1', holder.port.hostPort)));
  for (const reply of replies) assert.equal(reply.toString(), 'container 127.0.0.1');
  for (const client of clients) client[Symbol.dispose]();
});

test('ports of one request are the same number on all addresses, or none is held', () => {
  const ports = new PortAllocator();
  const holders = ports.hold(port(80), everywhere, owner);
  const [v4, v6] = holders.map((holder) => holder.port);
  assert.deepEqual([v4?.hostIp, v6?.hostIp, v4?.hostPort === v6?.hostPort], ['0.0.0.0', '::', true]);
  const hostPort = v4?.hostPort ?? 0;
  holders[0]?.[Symbol.dispose]();
  // IPv6 is still held: a request for both must not keep IPv4.
  assert.throws(() => ports.hold(port(80, { hostPort }), everywhere, owner), {
    reason: 'Busy',
    message: /failed to bind host port for \[::\]:/,
  });
  const [again] = ports.hold(port(80, { hostPort }), ['0.0.0.0'], owner);
  for (const holder of [again, holders[1]]) holder?.[Symbol.dispose]();
  for (const holder of holdAll([v4, v6].filter((one) => one !== undefined))) holder[Symbol.dispose]();
});

const everywhere = ['0.0.0.0', '::'];

type Target = { readonly address: string; readonly port: number };

function openRelay(target: Target): Disposable & { readonly port: number } {
  const { fd, port: relayPort } = bindInetSocket('tcp', ip('127.0.0.1'), 0);
  const relay = new TcpRelay(fd, () => target);
  return { port: relayPort, [Symbol.dispose]: () => relay[Symbol.dispose]() };
}

async function serve(t: TestContext, onConnection: (socket: Socket) => void): Promise<Target> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { address: '127.0.0.1', port: address.port };
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
