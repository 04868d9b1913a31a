import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';

import { listeningSockets } from './process-sockets.ts';

test('a process is found to listen, as long as it does', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const isListed = (): boolean =>
    listeningSockets(process.pid).some((one) => one.address === '127.0.0.1' && one.port === port);
  assert.ok(isListed());
  server.close();
  await once(server, 'close');
  assert.ok(!isListed());
});

test('a process that is no more has no sockets', () => {
  const beyondTheLargestPid = 4_194_305;
  assert.deepEqual(listeningSockets(beyondTheLargestPid), []);
});
