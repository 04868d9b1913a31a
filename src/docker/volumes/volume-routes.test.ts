import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';

function filters(value: object): string {
  return `?filters=${encodeURIComponent(JSON.stringify(value))}`;
}

describe('volumes', () => {
  test('are made, inspected and removed', async (t) => {
    const client = await DockerClient.start(t);
    const request = { Name: 'data', Driver: 'local', DriverOpts: { type: 'tmpfs' }, Labels: { a: 'b' } };
    const made = await client.call('POST', '/volumes/create', request);
    const body = {
      CreatedAt: '2023-11-14T22:13:20Z',
      Driver: 'local',
      Labels: { a: 'b' },
      Mountpoint: '/volumes/data/_data',
      Name: 'data',
      Options: { type: 'tmpfs' },
      Scope: 'local',
    };
    assert.deepEqual([made.status, made.body], [201, body]);
    assert.deepEqual((await client.call('GET', '/volumes/data')).body, body);
    client.engine.volumes.hold('data', 'c1');
    assert.equal((await client.call('DELETE', '/volumes/data')).status, 409);
    client.engine.volumes.release('data', 'c1');
    assert.equal((await client.call('DELETE', '/volumes/data?force=1')).status, 204);
    const gone = await client.call('GET', '/volumes/data');
    assert.deepEqual([gone.status, gone.body], [404, { message: 'get data: no such volume' }]);
    assert.equal((await client.call('POST', '/volumes/create', {})).status, 201);
    assert.equal((await client.call('POST', '/volumes/create', { ClusterVolumeSpec: {} })).status, 501);
  });

  test('are listed and filtered', async (t) => {
    const client = await DockerClient.start(t);
    await client.engine.volumes.create({ name: 'data', labels: { a: 'b' } });
    await client.engine.volumes.create({ name: 'cache' });
    client.engine.volumes.hold('data', 'c1');
    const names = async (value: object): Promise<readonly string[]> => {
      const { body } = await client.call('GET', `/volumes${filters(value)}`);
      return (body as { Volumes: { Name: string }[] }).Volumes.map(({ Name }) => Name).sort();
    };
    assert.deepEqual(await names({}), ['cache', 'data']);
    assert.deepEqual(await names({ name: ['at'] }), ['data']);
    assert.deepEqual(await names({ label: ['a'] }), ['data']);
    assert.deepEqual(await names({ dangling: ['true'] }), ['cache']);
    assert.deepEqual(await names({ dangling: ['0'] }), ['data']);
    assert.deepEqual(await names({ driver: ['nfs'] }), []);
  });

  test('anonymous ones are pruned, others on request', async (t) => {
    const client = await DockerClient.start(t);
    const { volumes } = client.engine;
    const { name } = await volumes.create({});
    await volumes.create({ name: 'named' });
    await volumes.create({ name: 'labelled', labels: { a: 'b' } });
    await volumes.create({ name: 'held', labels: { a: 'b' } });
    volumes.hold('held', 'c1');
    const prune = async (query: string): Promise<unknown> => (await client.call('POST', query)).body;
    assert.deepEqual(await prune('/volumes/prune'), { VolumesDeleted: [name], SpaceReclaimed: 1 });
    assert.deepEqual(await prune(`/volumes/prune${filters({ all: ['1'], label: ['a'] })}`), {
      VolumesDeleted: ['labelled'],
      SpaceReclaimed: 123,
    });
    // Before API 1.42 every unused volume went.
    assert.deepEqual(await prune('/v1.41/volumes/prune'), { VolumesDeleted: ['named'], SpaceReclaimed: 1 });
  });
});
