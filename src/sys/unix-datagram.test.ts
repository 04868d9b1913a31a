import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { DatagramReceiver } from '#kit/datagram-receiver.ts';
import { eventually } from '#kit/eventually.ts';

import { UnixDatagramSocket } from './unix-datagram.ts';

test('datagrams arrive whole and in order, until the receiver is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dgram-'));
  const receiver = new DatagramReceiver(join(folder, 'r'));
  using socket = new UnixDatagramSocket(receiver.path);
  for (const text of ['one', 'two', 'x'.repeat(30_000)]) assert.equal(socket.send(Buffer.from(text)), true);
  await eventually('three datagrams', () => receiver.received.length === 3);
  assert.deepEqual(
    receiver.received.map((bytes) => bytes.length),
    [3, 3, 30_000],
  );
  receiver.pause();
  let sent = 0;
  while (sent < 100_000 && socket.send(Buffer.from('fill'))) sent += 1;
  assert.ok(sent < 100_000, 'a full queue is told');
  receiver[Symbol.dispose]();
  await eventually('the receiver is gone', () => {
    try {
      return socket.send(Buffer.from('x')) && false;
    } catch (error) {
      return /ECONNREFUSED/.test(String(error));
    }
  });
  rmSync(folder, { recursive: true });
});

test('nobody, or another kind of socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dgram-'));
  const path = join(folder, 's');
  assert.throws(() => new UnixDatagramSocket(path), { code: 'ENOENT' });
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  assert.throws(() => new UnixDatagramSocket(path), { code: 'EPROTOTYPE' });
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});
