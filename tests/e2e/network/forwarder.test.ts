import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { Forwarder } from '#engine/network/dns/forwarder.ts';
import { bindInetSocket } from '#sys/inet-socket.ts';

import { encodeQuery, readReply, replyWith } from './dns-wire.ts';
import { ip, PrivateHost } from '../../kit/private-host.ts';

// Servers listen on port 53 of a machine of their own.
const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

type Answering = (query: Buffer) => readonly Buffer[];

const query = encodeQuery('a.example', 'A', 0x4242);
const answer: Answering = (asked) => [replyWith(asked, [192, 0, 2, 7])];
const good = { code: 0, answers: ['192.0.2.7'] };

test('the first server that knows is believed, and no further one asked', async () => {
  using forwarder = new Forwarder();
  using first = serve('127.0.0.1', answer);
  using second = serve('127.0.0.2', answer);
  assert.deepEqual(await ask(forwarder, ['127.0.0.1', '127.0.0.2']), good);
  assert.deepEqual([first.count(), second.count()], [1, 0]);
});

test('a server that is not there, one that fails and one that refuses are passed over', async () => {
  using forwarder = new Forwarder();
  using _failing = serve('127.0.0.2', (asked) => [withCode(asked, 2)]);
  using _good = serve('127.0.0.3', answer);
  assert.deepEqual(await ask(forwarder, ['127.0.0.1', '127.0.0.2', '127.0.0.3']), good);
  using _refusing = serve('127.0.0.4', (asked) => [withCode(asked, 5)]);
  assert.deepEqual(await ask(forwarder, ['127.0.0.4', '127.0.0.3']), good);
  assert.equal((await ask(forwarder, ['127.0.0.4', '127.0.0.2'])).code, 5, 'the first failure, when all fail');
});

test('a name that does not exist is an answer', async () => {
  using forwarder = new Forwarder();
  using _none = serve('127.0.0.1', (asked) => [withCode(asked, 3)]);
  using other = serve('127.0.0.2', answer);
  assert.deepEqual(await ask(forwarder, ['127.0.0.1', '127.0.0.2']), { code: 3, answers: [] });
  assert.equal(other.count(), 0);
});

test('replies to other queries, echoes and garbage do not pass for an answer', async () => {
  using forwarder = new Forwarder();
  using _noisy = serve('127.0.0.1', (asked) => {
    const stranger = replyWith(asked, [192, 0, 2, 66]);
    stranger.writeUInt16BE(0x1111, 0);
    return [stranger, Buffer.from(asked), Buffer.from('x'), ...answer(asked)];
  });
  assert.deepEqual(await ask(forwarder, ['127.0.0.1']), good);
});

test('at most three servers are asked, and names of servers are none', async () => {
  using forwarder = new Forwarder();
  using fourth = serve('127.0.0.4', answer);
  const servers = ['dns.example', '127.0.0.1', '127.0.0.2', '127.0.0.4'];
  assert.equal((await ask(forwarder, servers)).code, 2);
  assert.equal((await ask(forwarder, [])).code, 2);
  assert.equal(fourth.count(), 0);
});

test('a silent server costs its time and then the next one answers; closing ends the waiting', async () => {
  using _silent = serve('127.0.0.1', () => []);
  using _good = serve('127.0.0.2', answer);
  {
    using forwarder = new Forwarder();
    assert.deepEqual(await ask(forwarder, ['127.0.0.1', '127.0.0.2']), good);
  }
  const forwarder = new Forwarder();
  const waiting = ask(forwarder, ['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  forwarder[Symbol.dispose]();
  assert.equal((await waiting).code, 2);
});

test('hundreds of queries are under way at once, each with its own answer', async () => {
  using forwarder = new Forwarder();
  const held: (() => void)[] = [];
  const { promise: full, resolve: isFull } = Promise.withResolvers<void>();
  const socket = createSocket('udp4', (asked, from: RemoteInfo) => {
    held.push(() => socket.send(replyWith(asked, [192, 0, 2, 7]), from.port, from.address));
    if (held.length === 200) isFull();
  });
  socket.bind({ fd: bindInetSocket('udp', ip('127.0.0.1'), 53).fd });

  const waiting = Array.from({ length: 200 }, () => ask(forwarder, ['127.0.0.1']));
  await full;
  for (const reply of held) reply();
  for (const reply of await Promise.all(waiting)) assert.deepEqual(reply, good);
  socket.close();
});

test('TCP is asked by TCP, also for what is larger than a datagram', async () => {
  using forwarder = new Forwarder();
  const large = Buffer.concat([replyWith(query, [192, 0, 2, 7]), Buffer.alloc(60_000)]);
  const server = createServer((client) => {
    client.on('error', () => {});
    client.once('data', () => client.write(Buffer.concat([Buffer.of(large.length >> 8, large.length & 0xff), large])));
  });
  server.listen({ fd: bindInetSocket('tcp', ip('127.0.0.1'), 53).fd });
  const upstream = { servers: ['127.0.0.9', '127.0.0.1'], netnsPath: undefined };
  const reply = await forwarder.forward(query, upstream, 'tcp');
  assert.ok(reply.equals(large));
  server.close();
});

async function ask(forwarder: Forwarder, servers: readonly string[]): Promise<ReturnType<typeof readReply>> {
  const reply = await forwarder.forward(query, { servers, netnsPath: undefined }, 'udp');
  assert.equal(reply.readUInt16BE(0), 0x4242);
  return readReply(reply);
}

function serve(address: string, answers: Answering): Disposable & { count(): number } {
  let count = 0;
  const socket = createSocket('udp4', (asked, from) => {
    count += 1;
    for (const reply of answers(asked)) socket.send(reply, from.port, from.address);
  });
  socket.bind({ fd: bindInetSocket('udp', ip(address), 53).fd });
  return { count: () => count, [Symbol.dispose]: () => socket.close() };
}

function withCode(asked: Buffer, code: number): Buffer {
  const reply = Buffer.from(asked);
  reply.writeUInt16BE(0x8180 | code, 2);
  return reply;
}
