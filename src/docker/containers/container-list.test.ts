import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Endpoint } from '#engine/network/networks.ts';
import type { Container } from '#engine/runtime/container.ts';
import { DockerClient } from '#kit/fake-engine/docker-client.ts';
import { containerStatus } from './container-status.ts';

interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly [key: string]: unknown;
}

async function list(client: DockerClient, query = ''): Promise<readonly Listed[]> {
  const answer = await client.call('GET', `/containers/json${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as readonly Listed[];
}

function names(listed: readonly Listed[]): readonly string[] {
  return listed.map(({ Names }) => Names.join(' ').replaceAll('/', '')).sort();
}

function filtered(filters: object): string {
  return `?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
}

/** Four containers that differ in everything that a filter can ask for. */
async function fleet(t: Parameters<typeof DockerClient.start>[0]): Promise<DockerClient> {
  const client = await DockerClient.start(t);
  const { engine } = client;
  engine.images.offer('base:1');
  await engine.networks.create({ name: 'boards' });
  const ids: Record<string, string> = {};
  const specs: readonly (readonly [string, object])[] = [
    ['web', { Labels: { app: 'web', tier: 'front' }, ExposedPorts: { '80/tcp': {} } }],
    ['db', { Labels: { app: 'db' }, HostConfig: { NetworkMode: 'boards' } }],
    ['done', { Image: 'base:1', HostConfig: { NetworkMode: 'none' } }],
    ['new', {}],
  ];
  for (const [index, [name, body]] of specs.entries()) {
    const id = await client.create(name === 'done' ? ['code', '3'] : ['wait'], body, `?name=${name}`);
    ids[name] = id;
    engine.containers.patch(id, { createdAt: `2026-01-0${String(index + 1)}T00:00:00.5Z` });
    if (name !== 'new') await engine.containers.start(id);
  }
  const endpoint: object = {
    networkId: engine.networks.get('bridge').id,
    networkName: 'bridge',
    ipv4Address: '10.9.0.2',
    dnsNames: [],
  };
  const ports = [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }];
  const sandbox = { ports, endpoints: [endpoint as Endpoint] } as unknown as Container['sandbox'];
  engine.containers.patch(ids['web'] ?? '', { sandbox });
  const mount = { type: 'volume', name: 'data', source: '/v', destination: '/d', readOnly: false, propagation: '' };
  engine.containers.patch(ids['db'] ?? '', { mounts: [mount as Container['mounts'][number]] });
  engine.containers.setState(ids['db'] ?? '', { health: { status: 'healthy', failingStreak: 0, log: [] } });
  await engine.containers.wait('done', 'not-running', new AbortController().signal);
  return client;
}

describe('list', () => {
  test('shows the running ones, the newest first, and all on request', async (t) => {
    const client = await fleet(t);
    assert.deepEqual(
      (await list(client)).map(({ Names }) => Names),
      [['/db'], ['/web']],
    );
    assert.equal((await list(client, '?all=1')).length, 4);
    assert.deepEqual(names(await list(client, '?limit=2')), ['done', 'new']);
  });

  test('tells what docker ps prints', async (t) => {
    const client = await fleet(t);
    const web = (await list(client, '?size=1')).find(({ Names }) => Names[0] === '/web');
    assert.ok(web !== undefined);
    assert.match(String(web['Status']), /^Up /);
    assert.deepEqual(
      { ...web, Id: '', ImageID: '', Status: '', NetworkSettings: undefined },
      {
        Id: '',
        Names: ['/web'],
        Image: 'fake',
        ImageID: '',
        Command: 'wait',
        Created: 1_767_225_600,
        Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
        Labels: { app: 'web', tier: 'front' },
        State: 'running',
        Status: '',
        HostConfig: { NetworkMode: 'bridge' },
        NetworkSettings: undefined,
        Health: { Status: 'none', FailingStreak: 0 },
        Mounts: [],
        SizeRw: 11,
        SizeRootFs: 1011,
      },
    );
    const { Networks } = web['NetworkSettings'] as { Networks: Record<string, Record<string, unknown>> };
    assert.equal(Networks['bridge']?.['IPAddress'], '10.9.0.2');
  });

  const filters: readonly (readonly [object, readonly string[]])[] = [
    [{ name: ['web'] }, ['web']],
    [{ name: ['^/d'] }, ['db', 'done']],
    [{ label: ['app'] }, ['db', 'web']],
    [{ label: ['app=web', 'tier=front'] }, ['web']],
    [{ status: ['exited', 'created'] }, ['done', 'new']],
    [{ exited: ['3'] }, ['done']],
    [{ exited: ['0'] }, []],
    [{ health: ['healthy'] }, ['db']],
    [{ health: ['none'] }, ['done', 'new', 'web']],
    [{ ancestor: ['base:1'] }, ['done']],
    [{ ancestor: ['gone'] }, []],
    [{ before: ['done'] }, ['db', 'web']],
    [{ since: ['done'] }, ['new']],
    [{ publish: ['80'] }, ['web']],
    [{ publish: ['8000-9000/tcp'] }, ['web']],
    [{ publish: ['80/udp'] }, []],
    [{ expose: ['80/tcp'] }, ['web']],
    [{ network: ['boards'] }, ['db']],
    [{ network: ['none'] }, ['done']],
    [{ network: ['bridge'] }, ['new', 'web']],
    [{ volume: ['data'] }, ['db']],
    [{ volume: ['/d'] }, ['db']],
    [{ 'is-task': ['true'] }, []],
    [{ label: ['app'], status: ['running'], name: ['w'] }, ['web']],
  ];
  test('filters', async (t) => {
    const client = await fleet(t);
    for (const [filter, expected] of filters) {
      assert.deepEqual(names(await list(client, filtered(filter))), expected, JSON.stringify(filter));
    }
  });

  test('a filter by status sees stopped ones by itself', async (t) => {
    const client = await fleet(t);
    const filter = encodeURIComponent(JSON.stringify({ status: ['exited'] }));
    assert.deepEqual(names(await list(client, `?filters=${filter}`)), ['done']);
  });

  test('filters that nothing can match are refused', async (t) => {
    const client = await fleet(t);
    for (const [filter, status] of [
      [{ status: ['bored'] }, 400],
      [{ health: ['fine'] }, 400],
      [{ exited: ['x'] }, 400],
      [{ name: ['('] }, 400],
      [{ before: ['nope'] }, 404],
      [{ publish: ['x'] }, 400],
      [{ colour: ['red'] }, 400],
    ] as const) {
      const answer = await client.call('GET', `/containers/json${filtered(filter)}`);
      assert.equal(answer.status, status, JSON.stringify(filter));
    }
  });

  test('an image whose name went to another is shown by its ID', async (t) => {
    const client = await fleet(t);
    const { imageId } = client.engine.containers.get('done').spec;
    await client.engine.images.remove('base:1', {});
    const done = (await list(client, filtered({ name: ['done'] })))[0];
    assert.equal(done?.['Image'], imageId);
  });
});

describe('states in words', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const state: Container['state'] = {
    status: 'running',
    pid: 1,
    exitCode: 3,
    error: '',
    oomKilled: false,
    startedAt: '2026-01-01T00:55:00Z',
    finishedAt: '2026-01-01T00:59:50Z',
    restartCount: 0,
  };
  const health = { failingStreak: 0, log: [] };
  const cases: readonly (readonly [Partial<Container['state']>, string])[] = [
    [{}, 'Up 5 minutes'],
    [{ health: { ...health, status: 'healthy' } }, 'Up 5 minutes (healthy)'],
    [{ health: { ...health, status: 'starting' } }, 'Up 5 minutes (health: starting)'],
    [{ status: 'paused' }, 'Up 5 minutes (Paused)'],
    [{ status: 'restarting' }, 'Restarting (3) 10 seconds ago'],
    [{ status: 'exited' }, 'Exited (3) 10 seconds ago'],
    [{ status: 'created' }, 'Created'],
    [{ status: 'removing' }, 'Removal In Progress'],
    [{ status: 'dead' }, 'Dead'],
    [{ startedAt: '2026-01-01T02:00:00Z' }, 'Up Less than a second'],
  ];
  for (const [change, words] of cases) {
    test(words, () => assert.equal(containerStatus({ ...state, ...change }, now), words));
  }
});
