import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';

import { nowNs } from '#base/clock.ts';
import type { EngineEvent } from '#engine/events/event-log.ts';
import { DockerClient } from '#kit/fake-engine/docker-client.ts';
import { Filters } from '../http/filters.ts';
import { registryAuth, registryConfig, registryName } from './auth-header.ts';
import { eventMessage, matchesEvent } from './events.ts';

type Body = Readonly<Record<string, unknown>>;

describe('the system', () => {
  test('tells its versions', async (t) => {
    const client = await DockerClient.start(t);
    const body = (await client.call('GET', '/version')).body as Body;
    assert.deepEqual([body['Version'], body['ApiVersion'], body['MinAPIVersion']], ['1.2.3', '1.54', '1.24']);
    assert.equal(body['Os'], 'linux');
    assert.ok(Array.isArray(body['Components']));
  });

  test('tells what runs on what', async (t) => {
    const client = await DockerClient.start(t);
    await client.run(['wait']);
    await client.create(['wait']);
    const paused = await client.run(['wait']);
    await client.engine.containers.pause(paused);
    const body = (await client.call('GET', '/info')).body as Body;
    const counts = ['Containers', 'ContainersRunning', 'ContainersPaused', 'ContainersStopped', 'Images'];
    assert.deepEqual(
      counts.map((name) => body[name]),
      [3, 1, 1, 1, 1],
    );
    assert.ok(Number(body['NCPU']) > 0 && Number(body['MemTotal']) > 0);
    assert.match(String(body['CgroupVersion']), /^[12]$/);
    assert.equal((body['Swarm'] as Body)['LocalNodeState'], 'inactive');
    const indexes = (body['RegistryConfig'] as { IndexConfigs: Record<string, Body> }).IndexConfigs;
    assert.equal(indexes['registry.test:5000']?.['Secure'], false);
    assert.deepEqual([body['HttpProxy'], body['NoProxy']], ['http://xxxxx:xxxxx@proxy.test:3128', 'a.test']);
    assert.deepEqual(body['DefaultAddressPools'], [{ Base: '10.77.0.0/16', Size: 24 }]);
  });

  test('tells how much is used, by type', async (t) => {
    const client = await DockerClient.start(t);
    await client.create(['wait']);
    await client.engine.volumes.create({ name: 'data' });
    client.engine.volumes.hold('data', 'c1');
    const all = (await client.call('GET', '/v1.51/system/df')).body as Record<string, readonly Body[]>;
    assert.equal(all['Images']?.[0]?.['Containers'], 1);
    assert.equal(all['Containers']?.[0]?.['SizeRw'], 11);
    assert.deepEqual(all['Volumes']?.[0]?.['UsageData'], { Size: 123, RefCount: 1 });
    const some = (await client.call('GET', '/v1.51/system/df?type=volume')).body as Record<string, unknown>;
    assert.deepEqual([some['Images'], some['Containers'], some['BuildCache']], [null, null, null]);
    assert.equal((await client.call('GET', '/system/df?type=x')).status, 400);
    assert.equal((await client.call('GET', '/v1.41/system/df?type=x')).status, 200);
  });

  test('tells what could be freed, since 1.52, and the lists when they are asked for', async (t) => {
    const client = await DockerClient.start(t);
    await client.create(['wait']);
    await client.run(['wait']);
    await client.engine.volumes.create({ name: 'data' });
    const both = (await client.call('GET', '/v1.52/system/df?type=container&type=volume')).body as Record<string, Body>;
    assert.deepEqual(both['ContainerUsage'], {
      ActiveContainers: 1,
      TotalContainers: 2,
      Reclaimable: 11,
      TotalSize: 22,
    });
    assert.deepEqual([Object.keys(both['Containers'] ?? {}).length, 'ImageUsage' in both], [2, false]);
    const one = (await client.call('GET', '/system/df?type=volume&verbose=1')).body as Record<string, Body>;
    const { Items, ...sums } = one['VolumeUsage'] ?? {};
    assert.deepEqual(sums, { ActiveVolumes: 0, TotalVolumes: 1, Reclaimable: 123, TotalSize: 123 });
    assert.deepEqual([(Items as readonly Body[])[0]?.['Name'], Object.keys(one)], ['data', ['VolumeUsage']]);
    const newest = (await client.call('GET', '/v1.53/system/df')).body as Record<string, Body>;
    assert.deepEqual(Object.keys(newest).sort(), ['BuildCacheUsage', 'ContainerUsage', 'ImageUsage', 'VolumeUsage']);
  });

  test('checks credentials', async (t) => {
    const client = await DockerClient.start(t);
    const login = (password: string): Promise<{ status: number; body: unknown }> =>
      client.call('POST', '/auth', { username: 'u', password, serveraddress: 'https://index.docker.io/v1/' });
    const right = await login('right');
    assert.deepEqual([right.status, right.body], [200, { Status: 'Login Succeeded', IdentityToken: '' }]);
    const wrong = await login('wrong');
    assert.deepEqual([wrong.status, wrong.body], [401, { message: 'incorrect username or password' }]);
    assert.equal(client.engine.images.calls[0], 'login docker.io {"username":"u","password":"right"}');
  });

  test('says how to build by other ways than the oldest one of BuildKit', async (t) => {
    const client = await DockerClient.start(t);
    for (const path of ['/build?version=2', '/build?session=x']) {
      const { status, text } = await client.call('POST', path);
      assert.equal(status, 501, path);
      assert.match(text, /set DOCKER_BUILDKIT=0/);
    }
  });

  test('has no swarm and no plugins, in the words that clients expect', async (t) => {
    const client = await DockerClient.start(t);
    for (const [method, path] of [
      ['GET', '/swarm'],
      ['GET', '/nodes'],
      ['GET', '/services?filters={}'],
      ['GET', '/tasks/abc'],
      ['POST', '/secrets/create'],
      ['DELETE', '/configs/x'],
      ['POST', '/swarm/leave'],
    ] as const) {
      const { status, text } = await client.call(method, path);
      assert.equal(status, 503, path);
      assert.match(text, /This node is not a swarm manager/);
    }
    assert.equal((await client.call('POST', '/swarm/init', {})).status, 501);
    assert.deepEqual((await client.call('GET', '/plugins')).body, []);
    const plugin = await client.call('GET', '/plugins/x/json');
    assert.deepEqual([plugin.status, plugin.body], [404, { message: 'plugin "x" not found' }]);
    assert.equal((await client.call('POST', '/plugins/pull')).status, 501);
  });
});

describe('events', () => {
  test('come as they happen, after a head that comes at once', async (t) => {
    const client = await DockerClient.start(t);
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'] }));
    const answer = await client.open('GET', `/v1.51/events?filters=${filters}`);
    assert.equal(answer.statusCode, 200);
    const first = once(answer, 'data') as Promise<[Buffer]>;
    const id = await client.run(['wait'], {}, '?name=web');
    const event = JSON.parse((await first)[0].toString()) as Body;
    const { status, from, Type, Action, scope } = event;
    assert.deepEqual([status, event['id'], from], ['start', id, 'fake']);
    assert.deepEqual([Type, Action, scope], ['container', 'start', 'local']);
    assert.deepEqual(event['Actor'], { ID: id, Attributes: { image: 'fake', name: 'web' } });
    answer.destroy();
  });

  test('of the past are replayed', async (t) => {
    const client = await DockerClient.start(t);
    await client.create(['wait'], {}, '?name=web');
    await client.run(['wait'], {}, '?name=other');
    assert.equal((await client.call('GET', '/events?since=0&until=1')).text, '');
    const now = `${String(nowNs() / 1_000_000_000n)}.${String(nowNs() % 1_000_000_000n).padStart(9, '0')}`;
    const { text } = await client.call('GET', `/events?since=0.5&until=${now}&filters={"container":["other"]}`);
    const actions = text
      .trim()
      .split('\r\n')
      .map((line) => (JSON.parse(line) as Body)['Action']);
    assert.deepEqual(actions, ['create', 'start']);
  });

  const event: EngineEvent = {
    type: 'container',
    action: 'exec_start: sh -c x',
    id: 'abcdef',
    attributes: { name: 'web', image: 'app:1', team: 'a' },
    timeNs: 1_700_000_000_123_456_789n,
  };

  test('carry exact nanoseconds', () => {
    const text = JSON.stringify(eventMessage(event));
    assert.match(text, /"time":1700000000,"timeNano":1700000000123456789/);
    assert.ok(!('status' in eventMessage({ ...event, type: 'network' })));
  });

  const cases: readonly (readonly [Record<string, readonly string[]>, boolean])[] = [
    [{}, true],
    [{ type: ['container'] }, true],
    [{ type: ['image', 'network'] }, false],
    [{ event: ['exec_start'] }, true],
    [{ event: ['exec_start: sh -c x'] }, true],
    [{ event: ['start'] }, false],
    [{ container: ['web'] }, true],
    [{ container: ['abc'] }, true],
    [{ container: ['other'] }, false],
    [{ image: ['app'] }, true],
    [{ image: ['app:2'] }, false],
    [{ label: ['team=a'] }, true],
    [{ label: ['team=b'] }, false],
    [{ network: ['x'] }, false],
    [{ scope: ['swarm'] }, false],
    [{ service: ['x'] }, false],
  ];
  for (const [filters, expected] of cases) {
    test(`${JSON.stringify(filters)} ${expected ? 'passes' : 'stops'} it`, () =>
      assert.equal(matchesEvent(new Filters(new Map(Object.entries(filters))), event), expected));
  }

  test('bad times and filters are refused', async (t) => {
    const client = await DockerClient.start(t);
    assert.equal((await client.call('GET', '/events?since=yesterday')).status, 400);
    assert.equal((await client.call('GET', '/events?filters={"x":["y"]}')).status, 400);
  });
});

describe('credentials in headers', () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  test('are of several kinds', () => {
    assert.equal(registryAuth(''), undefined);
    assert.equal(registryAuth(encode({})), undefined);
    assert.deepEqual(registryAuth(encode({ username: 'u', password: 'p:q' })), { username: 'u', password: 'p:q' });
    const auth = Buffer.from('u:p:q').toString('base64');
    assert.deepEqual(registryAuth(encode({ auth })), { username: 'u', password: 'p:q' });
    assert.deepEqual(registryAuth(encode({ identitytoken: 't' })), { identityToken: 't' });
    assert.deepEqual(registryAuth(encode({ registrytoken: 't' })), { registryToken: 't' });
    for (const bad of ['x', encode([]), encode('x'), encode({ username: 1 })]) {
      assert.throws(() => registryAuth(bad), { reason: 'InvalidArgument', message: /invalid X-Registry-Auth header/ });
    }
  });

  test('are found by registry', () => {
    const header = encode({
      'https://index.docker.io/v1/': { username: 'hub', password: 'x' },
      'localhost:5000': { username: 'local', password: 'y' },
    });
    const find = registryConfig(header);
    assert.equal(find('docker.io')?.username, 'hub');
    assert.equal(find('localhost:5000')?.username, 'local');
    assert.equal(find('quay.io'), undefined);
    assert.equal(registryConfig('')('docker.io'), undefined);
    assert.equal(registryName('https://registry-1.docker.io'), 'docker.io');
  });
});
