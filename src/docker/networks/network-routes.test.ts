import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Endpoint } from '#engine/network/networks.ts';
import { DockerClient } from '#kit/fake-engine/docker-client.ts';

type Body = Readonly<Record<string, unknown>>;

describe('networks', () => {
  test('are made as docker network create sends them', async (t) => {
    const client = await DockerClient.start(t);
    const request = {
      Name: 'boards',
      Driver: 'bridge',
      Scope: '',
      EnableIPv6: false,
      IPAM: {
        Driver: 'default',
        Options: {},
        Config: [
          { Subnet: '172.16.0.0/16', Gateway: '172.16.0.1', IPRange: '', AuxiliaryAddresses: { a: '172.16.0.9' } },
        ],
      },
      Internal: true,
      Attachable: true,
      Ingress: false,
      ConfigOnly: false,
      ConfigFrom: null,
      Options: { 'com.docker.network.bridge.name': 'br9' },
      Labels: { x: 'y' },
    };
    const { status, body } = await client.call('POST', '/networks/create', request);
    assert.equal(status, 201);
    const { id } = client.engine.networks.get('boards');
    assert.deepEqual(body, { Id: id, Warning: '' });
    assert.deepEqual(JSON.parse(client.engine.networks.calls[0]?.slice('create '.length) ?? ''), {
      name: 'boards',
      driver: 'bridge',
      subnets: [{ subnet: '172.16.0.0/16', gateway: '172.16.0.1', auxAddresses: { a: '172.16.0.9' } }],
      internal: true,
      attachable: true,
      enableIPv6: false,
      labels: { x: 'y' },
      options: { 'com.docker.network.bridge.name': 'br9' },
    });
    assert.equal((await client.call('POST', '/networks/create', request)).status, 409);
  });

  const refused: readonly object[] = [
    { ConfigOnly: true },
    { ConfigFrom: { Network: 'x' } },
    { IPAM: { Driver: 'dhcp' } },
    { IPAM: { Options: { a: 'b' } } },
    { Scope: 'swarm' },
  ];
  test('refuse what would be ignored', async (t) => {
    const client = await DockerClient.start(t);
    for (const change of refused) {
      const answer = await client.call('POST', '/networks/create', { Name: 'x', ...change });
      assert.equal(answer.status, 501, JSON.stringify(change));
      assert.match(answer.text, /Cannot create network \\"x\\": .* is not supported/);
    }
    const mesh = await client.call('POST', '/networks/create', { Name: 'x', Ingress: true });
    assert.deepEqual([mesh.status, mesh.text.includes('Ingress network can only be global scope')], [403, true]);
  });

  test('are listed and filtered', async (t) => {
    const client = await DockerClient.start(t);
    const { id } = await client.engine.networks.create({ name: 'boards', labels: { a: 'b' } });
    await client.engine.networks.create({ name: 'used' });
    await client.create(['wait'], { HostConfig: { NetworkMode: 'used' } });
    const names = async (filters: object): Promise<readonly string[]> => {
      const answer = await client.call('GET', `/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`);
      assert.equal(answer.status, 200, answer.text);
      return (answer.body as readonly { Name: string }[]).map(({ Name }) => Name).sort();
    };
    assert.deepEqual(await names({}), ['boards', 'bridge', 'host', 'none', 'used']);
    assert.deepEqual(await names({ name: ['oar'] }), ['boards']);
    assert.deepEqual(await names({ id: [id.slice(0, 8)] }), ['boards']);
    assert.deepEqual(await names({ driver: ['null'] }), ['none']);
    assert.deepEqual(await names({ label: ['a=b'] }), ['boards']);
    assert.deepEqual(await names({ type: ['custom'] }), ['boards', 'used']);
    assert.deepEqual(await names({ scope: ['swarm'] }), []);
    assert.deepEqual(await names({ dangling: ['true'] }), ['boards']);
  });

  test('are inspected with their containers', async (t) => {
    const client = await DockerClient.start(t);
    await client.engine.networks.create({ name: 'boards', subnets: [{ subnet: '172.16.0.0/16' }] });
    const endpoint = {
      endpointId: 'e',
      containerId: 'c1',
      containerName: 'board1',
      macAddress: '02:42:ac:10:00:15',
      ipv4Address: '172.16.0.21',
      ipv4PrefixLength: 16,
      ipv6Address: '',
    } as Endpoint;
    client.engine.networks.patch('boards', { endpoints: [endpoint] });
    const { body } = await client.call('GET', '/networks/boards?verbose=false&scope=');
    const shown = body as Body;
    assert.deepEqual([shown['Name'], shown['Driver'], shown['Scope']], ['boards', 'bridge', 'local']);
    assert.deepEqual((shown['IPAM'] as Body)['Config'], [{ Subnet: '172.16.0.0/16', Gateway: '10.8.0.1' }]);
    assert.deepEqual(shown['Containers'], {
      c1: {
        Name: 'board1',
        EndpointID: 'e',
        MacAddress: '02:42:ac:10:00:15',
        IPv4Address: '172.16.0.21/16',
        IPv6Address: '',
      },
    });
    assert.deepEqual((await client.call('GET', '/networks/nope')).body, { message: 'network nope not found' });
    assert.equal((await client.call('GET', '/networks/boards?scope=swarm')).status, 404);
  });

  test('connect and disconnect containers', async (t) => {
    const client = await DockerClient.start(t);
    await client.engine.networks.create({ name: 'boards' });
    await client.run(['wait'], {}, '?name=web');
    const EndpointConfig = { IPAMConfig: { IPv4Address: '10.8.0.7' }, Aliases: ['w'], NetworkID: 'ignored' };
    const connected = await client.call('POST', '/networks/boards/connect', { Container: 'web', EndpointConfig });
    assert.equal(connected.status, 200);
    const gone = await client.call('POST', '/networks/boards/disconnect', { Container: 'web', Force: true });
    assert.equal(gone.status, 200);
    assert.deepEqual(client.engine.containers.calls, [
      'connect web {"network":"boards","ipv4Address":"10.8.0.7","aliases":["w"]}',
      'disconnect web boards true',
    ]);
    const links = { Container: 'web', EndpointConfig: { Links: ['a:b:c'] } };
    assert.equal((await client.call('POST', '/networks/boards/connect', links)).status, 400);
    assert.equal((await client.call('POST', '/networks/boards/connect', { Container: 'nope' })).status, 404);
    assert.equal((await client.call('POST', '/networks/nope/connect', { Container: 'web' })).status, 404);
  });

  test('are removed, and pruned unless a container names them', async (t) => {
    const client = await DockerClient.start(t);
    for (const name of ['one', 'two', 'used', 'kept']) {
      await client.engine.networks.create({ name, labels: name === 'kept' ? { keep: '' } : {} });
    }
    await client.create(['wait'], { HostConfig: { NetworkMode: 'used' } });
    assert.equal((await client.call('DELETE', '/networks/one')).status, 204);
    assert.equal((await client.call('DELETE', '/networks/one')).status, 404);
    const recent = encodeURIComponent(JSON.stringify({ until: ['2020-01-01'] }));
    const none = await client.call('POST', `/networks/prune?filters=${recent}`);
    assert.deepEqual(none.body, { NetworksDeleted: [] });
    const filters = encodeURIComponent(JSON.stringify({ 'label!': ['keep'] }));
    const { body } = await client.call('POST', `/networks/prune?filters=${filters}`);
    assert.deepEqual(body, { NetworksDeleted: ['two'] });
  });
});
