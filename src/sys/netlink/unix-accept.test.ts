import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { systemCall } from '../ffi.ts';
import { connectSeqpacket } from '../seqpacket.ts';
import { isAccepted } from './unix-accept.ts';

const seqpacket = 5 | 0x8_0000;
const socketCall = systemCall('int socket(int domain, int type, int protocol)');
const bindCall = systemCall('int bind(int fd, const void *address, int sizeBytes)');
const listenCall = systemCall('int listen(int fd, int backlog)');
const acceptCall = systemCall('int accept4(int fd, void *address, void *length, int flags)');
const closeCall = systemCall('int close(int fd)');

test('a connection is accepted when the server took it, not before', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sw-accept-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 's');
  const listener = socketCall(path, 1, seqpacket, 0);
  t.after(() => closeCall(path, listener));
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  bindCall(path, listener, address, address.length);
  listenCall(path, listener, 1);
  const { socket, fd } = connectSeqpacket(path);
  t.after(() => socket.destroy());
  assert.equal(isAccepted(fd), false);
  const server = acceptCall(path, listener, null, null, 0);
  assert.equal(isAccepted(fd), true);
  closeCall(path, server);
});
