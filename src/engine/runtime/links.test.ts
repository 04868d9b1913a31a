import assert from 'node:assert/strict';
import { test } from 'node:test';

import { linkEnvironment, resolveLinks } from './links.ts';

const port = (containerPort: number, protocol: 'tcp' | 'udp' = 'tcp') => ({ containerPort, protocol });

test('a link becomes the variables that Docker makes of it', () => {
  const link = {
    alias: 'my-db',
    linkName: '/web/my-db',
    address: '172.17.0.2',
    env: ['PATH=/bin', 'HOME=/', 'PASS=a=b'],
  };
  assert.deepEqual(linkEnvironment({ ...link, exposed: [port(53, 'udp'), port(6380), port(6379)] }), [
    'MY_DB_PORT=tcp://172.17.0.2:6379',
    'MY_DB_PORT_6379_TCP=tcp://172.17.0.2:6379',
    'MY_DB_PORT_6379_TCP_ADDR=172.17.0.2',
    'MY_DB_PORT_6379_TCP_PORT=6379',
    'MY_DB_PORT_6379_TCP_PROTO=tcp',
    'MY_DB_PORT_6380_TCP=tcp://172.17.0.2:6380',
    'MY_DB_PORT_6380_TCP_ADDR=172.17.0.2',
    'MY_DB_PORT_6380_TCP_PORT=6380',
    'MY_DB_PORT_6380_TCP_PROTO=tcp',
    'MY_DB_PORT_53_UDP=udp://172.17.0.2:53',
    'MY_DB_PORT_53_UDP_ADDR=172.17.0.2',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_PASS=a=b',
  ]);
  assert.deepEqual(linkEnvironment({ ...link, env: [], exposed: [] }), ['MY_DB_NAME=/web/my-db']);
});

test('only what runs on the default bridge can be linked to', () => {
  const id = 'd'.repeat(64);
  const other = { name: 'redis', state: { status: 'running' }, spec: { hostname: 'inner', env: [], network: {} } };
  const resolve = (found: object | undefined, networkName: string): ReturnType<typeof resolveLinks> => {
    const room = {
      table: { find: () => (found === undefined ? undefined : { record: found }) },
      networks: { sandbox: () => ({ endpoints: [{ networkName, ipv4Address: '172.17.0.2' }] }) },
    };
    const record = { name: 'web', spec: { network: { links: [{ containerId: id, alias: 'db' }] } } };
    return resolveLinks(room as never, record as never);
  };
  assert.deepEqual(resolve(other, 'bridge'), {
    hosts: [{ containerId: id, names: ['db', 'inner', 'redis'] }],
    env: ['DB_NAME=/web/db'],
  });
  const stopped = { ...other, state: { status: 'exited' } };
  const message = 'Cannot link to a non running container: /redis AS /web/db';
  assert.throws(() => resolve(stopped, 'bridge'), { reason: 'Conflict', message });
  assert.throws(() => resolve(undefined, 'bridge'), /\/dddddddddddd AS/);
  assert.throws(() => resolve(other, 'mine'), /as it does not belong to the default network/);
});
