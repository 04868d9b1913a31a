import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { acceptsConnections, listenPrivately } from './sockets.ts';

test('a private socket is its owner’s alone, and answers while it is listened on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sw-sockets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 's');
  const umask = process.umask();
  assert.equal(await acceptsConnections({ path }), false);
  const server = createServer((socket) => socket.destroy());
  await listenPrivately(server, path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(process.umask(), umask);
  assert.equal(await acceptsConnections({ path }), true);
  await assert.rejects(listenPrivately(createServer(), path), { code: 'EADDRINUSE' });
  await server[Symbol.asyncDispose]();
  assert.equal(await acceptsConnections({ path }), false);
});
