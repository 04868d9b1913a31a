import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';

import type { Role } from './role.ts';

const role: Role = { kind: 'project', project: 'shop', allows: [] };
const own = { 'com.docker.compose.project': 'shop' };
const foreign = { 'com.docker.compose.project': 'bank' };

async function create(client: DockerClient, body: object, name = ''): Promise<number> {
  if (client.engine.images.find('app') === undefined) client.engine.images.offer('app:latest', {});
  const query = name === '' ? '' : `?name=${name}`;
  return (await client.call('POST', `/containers/create${query}`, { Image: 'app', Cmd: ['x'], ...body })).status;
}

describe('a socket for one project', () => {
  test('makes things of the project, whatever label was asked for, and lists no others', async (t) => {
    const admin = await DockerClient.start(t);
    const client = await admin.as(role);
    assert.equal(await create(admin, { Labels: foreign }, 'theirs'), 201);
    assert.equal(await create(client, { Labels: { ...foreign, a: 'b' } }, 'ours'), 201);
    assert.deepEqual(admin.engine.containers.get('ours').spec.labels, { ...own, a: 'b' });
    const listed = (await client.call('GET', '/containers/json?all=1')).body as { Names: string[] }[];
    assert.deepEqual(
      listed.map(({ Names }) => Names[0]),
      ['/ours'],
    );
    const also = encodeURIComponent(JSON.stringify({ label: { 'com.docker.compose.project=bank': true } }));
    assert.deepEqual((await client.call('GET', `/containers/json?all=1&filters=${also}`)).body, []);
  });

  test('does not see or touch what belongs to others', async (t) => {
    const admin = await DockerClient.start(t);
    const client = await admin.as(role);
    await create(admin, { Labels: foreign }, 'theirs');
    await admin.call('POST', '/volumes/create', { Name: 'vault', Labels: foreign });
    await admin.call('POST', '/networks/create', { Name: 'lan', Labels: foreign });
    const attempts = [
      ['GET', '/containers/theirs/json'],
      ['POST', '/containers/theirs/start'],
      ['DELETE', '/containers/theirs?force=1'],
      ['POST', '/containers/theirs/exec'],
      ['GET', '/volumes/vault'],
      ['DELETE', '/volumes/vault'],
      ['GET', '/networks/lan'],
      ['DELETE', '/networks/lan'],
    ] as const;
    for (const [method, path] of attempts) assert.equal((await client.call(method, path)).status, 404, path);
    const shared = { HostConfig: { NetworkMode: 'container:theirs' } };
    assert.equal(await create(client, shared), 404);
    assert.equal(await create(client, { HostConfig: { VolumesFrom: ['theirs:ro'] } }), 404);
    assert.equal(await create(client, { HostConfig: { NetworkMode: 'lan' } }), 404);
    assert.equal(await create(client, { HostConfig: { Binds: ['vault:/v'] } }), 403);
  });

  test('has no way to the machine', async (t) => {
    const client = await (await DockerClient.start(t)).as(role);
    const ways: readonly object[] = [
      { Binds: ['/etc:/etc'] },
      { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/x' }] },
      {
        Mounts: [
          {
            Type: 'volume',
            Target: '/x',
            VolumeOptions: { DriverConfig: { Options: { type: 'none', o: 'bind', device: '/' } } },
          },
        ],
      },
      { Privileged: true },
      { CapAdd: ['SYS_ADMIN'] },
      { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda' }] },
      { SecurityOpt: ['seccomp=unconfined'] },
      { MaskedPaths: [] },
      { NetworkMode: 'host' },
      { PidMode: 'host' },
      { IpcMode: 'host' },
      { UTSMode: 'host' },
      { CgroupParent: '/' },
      { LogConfig: { Type: 'syslog', Config: { 'syslog-address': 'unix:///run/docker.sock' } } },
    ];
    for (const HostConfig of ways) assert.equal(await create(client, { HostConfig }), 403, JSON.stringify(HostConfig));
    const volume = { Name: 'etc', DriverOpts: { type: 'none', o: 'bind', device: '/etc' } };
    assert.equal((await client.call('POST', '/volumes/create', volume)).status, 403);
    for (const path of ['/build', '/images/load', '/images/prune', '/commit', '/grpc', '/build/prune'])
      assert.equal((await client.call('POST', path)).status, 403, path);
    assert.equal((await client.call('DELETE', '/images/app')).status, 403);
    assert.equal((await client.call('POST', '/images/create?fromSrc=-&repo=app')).status, 403);
    assert.equal(await create(client, { HostConfig: { SecurityOpt: ['no-new-privileges'], Binds: ['data:/d'] } }), 201);
    assert.deepEqual((await client.call('GET', '/volumes/data')).status, 200);
  });

  test('may do what is allowed to it', async (t) => {
    const client = await (await DockerClient.start(t)).as({ ...role, allows: ['host-mounts', 'privileged'] });
    assert.equal(await create(client, { HostConfig: { Binds: ['/etc:/etc'], Privileged: true } }), 201);
    assert.equal(await create(client, { HostConfig: { NetworkMode: 'host' } }), 403);
  });
});

describe('a socket that only reads', () => {
  test('shows everything but secrets, and changes nothing', async (t) => {
    const admin = await DockerClient.start(t);
    const client = await admin.as({ kind: 'read-only' });
    await create(admin, { Env: ['PASSWORD=geheim'] }, 'app');
    const shown = await client.call('GET', '/containers/app/json');
    assert.deepEqual((shown.body as { Config: { Env: string[] } }).Config.Env.includes('PASSWORD=********'), true);
    assert.equal(JSON.stringify(shown.body).includes('geheim'), false);
    const denied = await client.call('POST', '/containers/app/start');
    assert.equal(denied.status, 403);
    assert.match(
      (denied.body as { message: string }).message,
      /^This socket is read-only: .* use the administrator's socket$/,
    );
    for (const path of ['/containers/app/export', '/containers/app/archive?path=/', '/images/get?names=app'])
      assert.equal((await client.call('GET', path)).status, 403, path);
  });
});
