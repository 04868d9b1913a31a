import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Endpoint } from '#engine/network/networks.ts';
import type { Container } from '#engine/runtime/container.ts';
import { DockerClient } from '#kit/fake-engine/docker-client.ts';

type Body = Readonly<Record<string, unknown>>;

async function inspect(client: DockerClient, id: string, query = ''): Promise<Body> {
  const answer = await client.call('GET', `/containers/${id}/json${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as Body;
}

describe('inspect', () => {
  test('has everything that clients look for', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait', 'a'], { Env: ['A=b'], HostConfig: { Binds: ['/a:/b'] } }, '?name=web');
    const body = await inspect(client, 'web', '?size=1');
    const expected: Body = {
      Id: id,
      Path: 'wait',
      Args: ['a'],
      Name: '/web',
      RestartCount: 0,
      Driver: 'overlay2',
      Platform: 'linux',
      LogPath: `/logs/${id}`,
      HostsPath: `/run/${id}/hosts`,
      ResolvConfPath: `/run/${id}/resolv.conf`,
      HostnamePath: `/run/${id}/hostname`,
      ExecIDs: null,
      SizeRw: 11,
      SizeRootFs: 1011,
      Mounts: [],
    };
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(body[name], value, name);
    assert.deepEqual(body['State'], {
      Status: 'created',
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 0,
      ExitCode: 0,
      Error: '',
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    });
    const config = body['Config'] as Body;
    assert.deepEqual([config['Hostname'], config['Image'], config['Env']], [id.slice(0, 12), 'fake', ['A=b']]);
    const host = body['HostConfig'] as Body;
    assert.deepEqual([host['Binds'], host['NetworkMode'], host['ShmSize']], [['/a:/b'], 'bridge', 67_108_864]);
    assert.ok(!('SizeRw' in (await inspect(client, 'web'))));
  });

  test('shows networks with and without addresses, and ports', async (t) => {
    const client = await DockerClient.start(t);
    const endpointConfig = { IPAMConfig: { IPv4Address: '10.8.0.5' }, Aliases: ['x'] };
    const network = await client.engine.networks.create({ name: 'boards' });
    const id = await client.create(['wait'], {
      ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
      HostConfig: { NetworkMode: 'boards' },
      NetworkingConfig: { EndpointsConfig: { boards: endpointConfig } },
    });
    const stopped = (await inspect(client, id))['NetworkSettings'] as Body;
    assert.deepEqual(stopped['Ports'], {});
    const before = (stopped['Networks'] as Record<string, Body>)['boards'] ?? {};
    assert.deepEqual([before['NetworkID'], before['IPAddress'], before['Aliases']], [network.id, '', ['x']]);
    assert.deepEqual(before['IPAMConfig'], { IPv4Address: '10.8.0.5' });
    const endpoint: Endpoint = {
      endpointId: 'e1',
      containerId: id,
      containerName: 'web',
      networkId: network.id,
      networkName: 'boards',
      interfaceName: 'eth0',
      macAddress: '02:42:00:00:00:01',
      ipv4Address: '10.8.0.5',
      ipv4PrefixLength: 24,
      ipv4Gateway: '10.8.0.1',
      ipv6Address: '',
      ipv6PrefixLength: 0,
      ipv6Gateway: '',
      linkLocalAddresses: [],
      gatewayPriority: 0,
      links: [],
      driverOptions: {},
      aliases: ['x'],
      dnsNames: ['web', 'x'],
    };
    const ports = [
      { containerPort: 80, protocol: 'tcp' as const, hostIp: '', hostPort: 8080 },
      { containerPort: 80, protocol: 'tcp' as const, hostIp: '::', hostPort: 8080 },
    ];
    const files = { hosts: '', resolvConf: '', hostname: '' };
    const sandbox = { containerId: id, netnsPath: '/run/ns', endpoints: [endpoint], ports, files };
    client.engine.containers.patch(id, { sandbox });
    const running = (await inspect(client, id))['NetworkSettings'] as Body;
    const published = ['0.0.0.0', '::'].map((HostIp) => ({ HostIp, HostPort: '8080' }));
    assert.deepEqual(running['Ports'], { '80/tcp': published, '81/tcp': null });
    assert.equal(running['SandboxKey'], '/run/ns');
    const after = (running['Networks'] as Record<string, Body>)['boards'] ?? {};
    assert.deepEqual([after['IPAddress'], after['Gateway'], after['IPPrefixLen']], ['10.8.0.5', '10.8.0.1', 24]);
    assert.deepEqual([after['EndpointID'], after['DNSNames']], ['e1', ['web', 'x']]);
  });

  test('shows mounts and health', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    const mounts: Container['mounts'] = [
      { type: 'volume', name: 'v', source: '/v/_data', destination: '/d', readOnly: true, propagation: '' },
      { type: 'bind', name: '', source: '/a', destination: '/b', readOnly: false, propagation: '' },
    ];
    client.engine.containers.patch(id, { mounts });
    const probe = { start: 's', end: 'e', exitCode: 1, output: 'no' };
    client.engine.containers.setState(id, {
      status: 'paused',
      health: { status: 'unhealthy', failingStreak: 3, log: [probe] },
    });
    const body = await inspect(client, id);
    assert.deepEqual(body['Mounts'], [
      {
        Type: 'volume',
        Name: 'v',
        Source: '/v/_data',
        Destination: '/d',
        Driver: 'local',
        Mode: 'ro',
        RW: false,
        Propagation: '',
      },
      { Type: 'bind', Source: '/a', Destination: '/b', Mode: '', RW: true, Propagation: 'rprivate' },
    ]);
    const { Health, Running, Paused } = body['State'] as Body;
    const log = [{ Start: 's', End: 'e', ExitCode: 1, Output: 'no' }];
    assert.deepEqual(Health, { Status: 'unhealthy', FailingStreak: 3, Log: log });
    assert.deepEqual([Running, Paused], [true, true]);
  });

  test("the host's network has no addresses", async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait'], { HostConfig: { NetworkMode: 'host' } });
    const settings = (await inspect(client, id))['NetworkSettings'] as Body;
    assert.deepEqual(Object.keys(settings['Networks'] as object), ['host']);
    const other = await client.create(['wait'], { HostConfig: { NetworkMode: `container:${id}` } });
    const host = (await inspect(client, other))['HostConfig'] as Body;
    assert.equal(host['NetworkMode'], `container:${id}`);
  });
});

describe('what else can be asked of a container', () => {
  test('processes and changes', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.run(['wait']);
    assert.deepEqual((await client.call('GET', `/containers/${id}/top?ps_args=aux`)).body, {
      Titles: ['PID', 'CMD'],
      Processes: [['1', 'aux']],
    });
    assert.deepEqual((await client.call('GET', `/containers/${id}/changes`)).body, [
      { Path: '/etc', Kind: 0 },
      { Path: '/etc/new', Kind: 1 },
      { Path: '/old', Kind: 2 },
    ]);
  });
});
