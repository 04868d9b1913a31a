import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import type { Sandbox } from '#engine/network/networks.ts';
import { bindInetSocket, closeInetSocket, connectInetSocket } from '#sys/inet-socket.ts';
import { inNetns } from '#sys/netns.ts';

import { askedName, encodeQuery, readReply, replyWith } from './dns-wire.ts';
import { askUdp } from './peers.ts';
import { ip, lanAddress, openInstance, PrivateHost, sandboxRequest, signal } from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());
const run = promisify(execFile);

const serverAddress = '127.0.0.11';

test('containers of a user network find each other by every name, and those of others not', async () => {
  using upstream = serveNames(host.lan, lanAddress);
  await using networks = await openInstance(host.instance('names'));
  await networks.create({ name: 'boards' }, signal());
  await networks.create({ name: 'six', enableIPv6: true }, signal());
  const one = await networks.open(
    sandboxRequest('board1', { hostname: 'inside', endpoints: [{ network: 'boards', aliases: ['db', 'Shared'] }] }),
    signal(),
  );
  const two = await networks.open(
    sandboxRequest('board2', { endpoints: [{ network: 'boards', aliases: ['shared'] }, { network: 'six' }] }),
    signal(),
  );
  const far = await networks.open(sandboxRequest('far', { endpoints: [{ network: 'six' }] }), signal());
  const [address1, address2] = [one.endpoints[0]?.ipv4Address ?? '', two.endpoints[0]?.ipv4Address ?? ''];
  const found = async (from: Sandbox, name: string, type: 'A' | 'AAAA' | 'PTR' | 'MX' = 'A'): Promise<unknown> => {
    const { code, answers } = readReply(await ask(from, name, type));
    return code === 0 ? answers : code;
  };
  for (const name of ['board1', 'BOARD1', 'db', 'inside', one.containerId.slice(0, 12), 'board1.boards']) {
    assert.deepEqual(await found(two, name), [address1], name);
  }
  assert.deepEqual(await found(one, 'shared'), [address1, address2].sort());
  assert.deepEqual(await found(two, 'board1', 'AAAA'), []);
  assert.deepEqual(await found(two, 'board1', 'MX'), []);
  assert.deepEqual(await found(two, 'far', 'AAAA'), [far.endpoints[0]?.ipv6Address]);
  const reversed = `${address1.split('.').toReversed().join('.')}.in-addr.arpa`;
  assert.deepEqual(await found(two, reversed, 'PTR'), ['board1.boards']);
  assert.deepEqual(upstream.asked(), [], 'own names stay here');
  assert.deepEqual(await found(far, 'board1'), ['192.0.2.99'], 'a name of another network is a foreign one');

  await networks.rename(one.containerId, 'renamed');
  assert.deepEqual(await found(two, 'renamed'), [address1]);
  assert.deepEqual(await found(two, 'board1'), ['192.0.2.99']);
  await networks.connect(far.containerId, { network: 'boards' }, signal());
  assert.deepEqual(await found(far, 'renamed'), [address1]);
  await networks.close(one.containerId);
  assert.deepEqual(await found(two, 'shared'), [address2]);
});

test('real resolvers of containers are content, by UDP and TCP, and port 53 stays free', async () => {
  using _upstream = serveNames(host.lan, lanAddress);
  await using networks = await openInstance(host.instance('real'));
  await networks.create({ name: 'boards' }, signal());
  const request = sandboxRequest('web', { endpoints: [{ network: 'boards' }] });
  const { netnsPath = '', endpoints, files } = await networks.open(request, signal());
  assert.match(files.resolvConf, /^nameserver 127\.0\.0\.11$/m);
  assert.match(files.resolvConf, /^search example\.test$/m);
  assert.match(files.resolvConf, /^options ndots:0$/m);
  const command = [`--net=${netnsPath}`, 'busybox', 'nslookup', 'web', serverAddress];
  const { stdout } = await run('nsenter', command, { timeout: 60_000 });
  assert.ok(stdout.includes(endpoints[0]?.ipv4Address ?? '-'), stdout);
  for (const protocol of ['udp', 'tcp'] as const) {
    closeInetSocket(inNetns(netnsPath, () => bindInetSocket(protocol, ip('0.0.0.0'), 53)));
  }
  const replies = await askByTcp(netnsPath, [encodeQuery('web', 'A', 7), encodeQuery('www.example.test', 'A', 8)]);
  assert.deepEqual(
    replies.flatMap((reply) => readReply(reply).answers).toSorted(),
    ['192.0.2.99', endpoints[0]?.ipv4Address ?? ''].toSorted(),
  );
});

test('foreign names are asked of the next server when one is silent, and of the servers of the container from within it', async () => {
  using upstream = serveNames(host.lan, lanAddress);
  const options = host.instance('next');
  writeFileSync(join(options.etcDir, 'resolv.conf'), `nameserver 127.0.0.53\nnameserver ${lanAddress}\n`);
  await using networks = await openInstance(options);
  await networks.create({ name: 'boards' }, signal());
  const endpoints = [{ network: 'boards' }];
  const one = await networks.open(sandboxRequest('one', { endpoints }), signal());
  assert.deepEqual(readReply(await ask(one, 'a.example', 'A')).answers, ['192.0.2.99']);
  assert.deepEqual(upstream.asked(), ['a.example']);
  const dns = { servers: ['127.0.0.1'], search: ['.'], options: ['timeout:9'] };
  const own = await networks.open(sandboxRequest('own', { endpoints, dns }), signal());
  using inner = serveNames(own.netnsPath, '127.0.0.1');
  assert.deepEqual(readReply(await ask(own, 'b.example', 'A')).answers, ['192.0.2.99']);
  assert.deepEqual(inner.asked(), ['b.example']);
  assert.match(own.files.resolvConf, /nameserver 127\.0\.0\.11\noptions timeout:9 ndots:0\n$/);
  const dead = { servers: ['127.0.0.2'], search: [], options: [] };
  const lost = await networks.open(sandboxRequest('lost', { endpoints, dns: dead }), signal());
  assert.equal(readReply(await ask(lost, 'c.example', 'A')).code, 2, 'SERVFAIL');
});

test('garbage, broken streams and a silent upstream do not keep the server from answering', async () => {
  const options = host.instance('garble');
  writeFileSync(join(options.etcDir, 'resolv.conf'), `nameserver ${lanAddress}\n`);
  // It takes queries and says nothing.
  const silent = inNetns(host.lan, () => bindInetSocket('udp', ip(lanAddress), 53));
  await using networks = await openInstance(options);
  await networks.create({ name: 'boards' }, signal());
  const one = await networks.open(sandboxRequest('one', { endpoints: [{ network: 'boards' }] }), signal());
  const { netnsPath = '' } = one;
  const attacker = createSocket('udp4');
  attacker.bind({ fd: inNetns(netnsPath, () => bindInetSocket('udp', ip('0.0.0.0'), 0)).fd });
  for (let count = 0; count < 300; count += 1) {
    const start = count % 3 === 0 ? encodeQuery('one', 'A') : encodeQuery(`foreign${String(count)}.example`, 'A');
    attacker.send(
      count % 2 === 0 ? randomBytes(count) : Buffer.concat([start, randomBytes(count % 40)]),
      53,
      serverAddress,
    );
  }
  for (const bytes of [randomBytes(300), Buffer.of(0), Buffer.of(0xff, 0xff, 1, 2), framed(Buffer.alloc(0))]) {
    const { fd } = inNetns(netnsPath, () => connectInetSocket('tcp', ip(serverAddress), 53));
    const socket = new Socket({ fd, readable: true, writable: true });
    socket.on('error', () => {});
    socket.end(bytes);
  }
  const expected = { code: 0, answers: [one.endpoints[0]?.ipv4Address ?? ''] };
  assert.deepEqual(readReply(await ask(one, 'one', 'A')), expected);
  assert.deepEqual(readReply((await askByTcp(netnsPath, [encodeQuery('one', 'A')]))[0] ?? Buffer.alloc(12)), expected);
  attacker.close();
  closeInetSocket(silent);
});

test('a container without a way out gets no names from outside', async () => {
  using upstream = serveNames(host.lan, lanAddress);
  await using networks = await openInstance(host.instance('inner'));
  await networks.create({ name: 'inner', internal: true }, signal());
  const endpoints = [{ network: 'inner' }];
  const one = await networks.open(sandboxRequest('one', { endpoints }), signal());
  assert.equal(readReply(await ask(one, 'a.example', 'A')).code, 2);
  assert.deepEqual(readReply(await ask(one, 'one', 'A')).answers, [one.endpoints[0]?.ipv4Address]);
  assert.deepEqual(upstream.asked(), []);
});

test('on the default bridge of a host with its resolver on loopback, queries are passed on', async () => {
  using upstream = serveNames(undefined, '127.0.0.1');
  const options = host.instance('stub');
  writeFileSync(join(options.etcDir, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  await using networks = await openInstance(options);
  const one = await networks.open(sandboxRequest('one'), signal());
  assert.match(one.files.resolvConf, /nameserver 127\.0\.0\.11\n/);
  assert.deepEqual(readReply(await ask(one, 'one', 'A')).answers, ['192.0.2.99']);
  assert.deepEqual(upstream.asked(), ['one'], 'it knows no names of containers');
});

function ask({ netnsPath }: Sandbox, name: string, type: 'A' | 'AAAA' | 'PTR' | 'MX'): Promise<Buffer> {
  return askUdp(netnsPath, serverAddress, 53, encodeQuery(name, type));
}

async function askByTcp(netnsPath: string, queries: readonly Buffer[]): Promise<readonly Buffer[]> {
  const { fd } = inNetns(netnsPath, () => connectInetSocket('tcp', ip(serverAddress), 53));
  const socket = new Socket({ fd, readable: true, writable: true });
  const replies: Buffer[] = [];
  let rest = Buffer.alloc(0);
  for (const query of queries) socket.write(framed(query));
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      replies.push(rest.subarray(2, 2 + rest.readUInt16BE(0)));
      rest = rest.subarray(2 + rest.readUInt16BE(0));
    }
    if (replies.length === queries.length) break;
  }
  socket.destroy();
  return replies;
}

/** A name server that answers everything with 192.0.2.99, by UDP and TCP. */
function serveNames(place: string | undefined, address: string): Disposable & { asked(): readonly string[] } {
  const names = new Set<string>();
  const answer = (query: Buffer): Buffer => {
    names.add(askedName(query));
    return replyWith(query, [192, 0, 2, 99]);
  };
  const bind = (protocol: 'udp' | 'tcp'): number => {
    const make = (): number => bindInetSocket(protocol, ip(address), 53).fd;
    return place === undefined ? make() : inNetns(place, make);
  };
  const udp = createSocket('udp4', (query, from) => udp.send(answer(query), from.port, from.address));
  udp.bind({ fd: bind('udp') });
  const tcp = createServer((client) => {
    client.on('error', () => {});
    client.on('data', (bytes) => client.write(framed(answer(bytes.subarray(2)))));
  });
  tcp.listen({ fd: bind('tcp') });
  return {
    asked: () => [...names],
    [Symbol.dispose]: () => {
      udp.close();
      tcp.close();
    },
  };
}

function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}
