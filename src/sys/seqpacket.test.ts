import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { adoptSocket } from './adopted-socket.ts';
import { systemCall } from './ffi.ts';
import { connectSeqpacket } from './seqpacket.ts';

const seqpacketNonBlocking = 5 | 0x8_0000 | 0x800;
const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const bindCall = systemCall('int bind(int fd, const void *address, int sizeBytes)');
const listenCall = systemCall('int listen(int fd, int backlog)');
const acceptCall = systemCall('int accept4(int fd, void *address, void *length, int flags)');
const closeCall = systemCall('int close(int fd)');

interface Pair extends Disposable {
  readonly client: Socket;
  readonly server: Socket;
}

function connectedPair(): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'seqpacket-'));
  const path = join(folder, 's');
  const listener = socketCall('', 1, seqpacketNonBlocking, 0);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  bindCall(path, listener, address, address.length);
  listenCall(path, listener, 1);
  const client = connectSeqpacket(path).socket;
  const server = adoptSocket(acceptCall(path, listener, null, null, 0x8_0800), { writable: true }).socket;
  return {
    client,
    server,
    [Symbol.dispose]: () => {
      client.destroy();
      server.destroy();
      closeCall('', listener);
      rmSync(folder, { recursive: true });
    },
  };
}

function write(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

test('packets arrive one by one, in both directions', async () => {
  using pair = connectedPair();
  const seen: string[] = [];
  pair.client.on('data', (bytes: Buffer) => seen.push(bytes.toString()));
  for (const packet of ['one', 'two', 'three']) await write(pair.server, packet);
  await write(pair.client, 'back');
  assert.equal(String((await once(pair.server, 'data'))[0]), 'back');
  pair.server.end();
  await once(pair.client, 'end');
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('a half close leaves the other direction open', async () => {
  using pair = connectedPair();
  pair.client.end();
  pair.server.resume();
  await once(pair.server, 'end');
  const data = once(pair.client, 'data');
  await write(pair.server, 'still here');
  assert.equal(String((await data)[0]), 'still here');
});

test('a reader that pauses holds the writer back', async () => {
  using pair = connectedPair();
  const packet = 'x'.repeat(8192);
  const total = 200;
  let written = 0;
  const writing = (async () => {
    for (; written < total; written += 1) await write(pair.server, packet);
    pair.server.end();
  })();
  let received = 0;
  for await (const bytes of pair.client) {
    received += (bytes as Buffer).length;
    assert.ok(written * packet.length - received < 1_000_000, 'more in flight than the kernel and the stream buffer');
  }
  await writing;
  assert.equal(received, total * packet.length);
});

test('nobody listens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seqpacket-'));
  assert.throws(() => connectSeqpacket(join(folder, 'none')), { code: 'ENOENT', syscall: 'connect' });
  rmSync(folder, { recursive: true });
});
