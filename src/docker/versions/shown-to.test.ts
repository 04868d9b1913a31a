import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';

import { shownTo } from './shown-to.ts';

type Body = Readonly<Record<string, unknown>>;

/** The same body in two versions: fields that only the older one has, and only the newer one. */
function differences(
  kind: Parameters<typeof shownTo>[1],
  body: object,
  older: number,
  newer: number,
): [string[], string[]] {
  const [before, after] = [older, newer].map((minor) => Object.keys(shownTo({ major: 1, minor }, kind, body)));
  const only = (one: readonly string[] = [], other: readonly string[] = []): string[] =>
    one.filter((name) => !other.includes(name)).sort();
  return [only(before, after), only(after, before)];
}

describe('what clients see of an image', () => {
  const config = { Hostname: '', Cmd: ['sh'], Env: null, Volumes: {}, WorkingDir: '', User: 'me', Tty: false };
  const image = { Id: 'x', Parent: '', Author: 'me', Created: '0001-01-01T00:00:00Z', Size: 7, Config: config };

  test('until 1.43 has a virtual size and always a time', () => {
    assert.deepEqual(differences('image', image, 43, 44), [['Created', 'VirtualSize'], []]);
    assert.equal((shownTo({ major: 1, minor: 24 }, 'image', image) as Body)['VirtualSize'], 7);
  });

  test('has the configuration that it was committed from, which compose 1 wants in every version', () => {
    for (const minor of [24, 54]) {
      const { ContainerConfig } = shownTo({ major: 1, minor }, 'image', image) as Body;
      assert.deepEqual(ContainerConfig, config);
    }
  });

  test('until 1.51 has what is empty', () => {
    assert.deepEqual(differences('image', image, 51, 52), [['Parent'], []]);
    const configAt = (minor: number): readonly string[] =>
      Object.keys((shownTo({ major: 1, minor }, 'image', image) as { Config: object }).Config).sort();
    assert.deepEqual(configAt(49), Object.keys(config).sort());
    assert.deepEqual(configAt(50), ['Cmd', 'Env', 'User', 'Volumes', 'WorkingDir']);
    assert.deepEqual(configAt(52), ['Cmd', 'User']);
  });

  test('in lists has names of none until 1.42, and users since 1.51', () => {
    const nameless = { Id: 'x', Size: 7, RepoTags: [], RepoDigests: [], Containers: 2 };
    const at = (minor: number, body: object = nameless): Body =>
      shownTo({ major: 1, minor }, 'listedImage', body) as Body;
    assert.deepEqual([at(42)['RepoTags'], at(42)['RepoDigests']], [['<none>:<none>'], ['<none>@<none>']]);
    assert.deepEqual([at(43)['RepoTags'], at(43)['RepoDigests']], [[], []]);
    assert.deepEqual(at(42, { ...nameless, RepoTags: ['a:1'] })['RepoTags'], ['a:1']);
    assert.deepEqual([at(50)['Containers'], at(51)['Containers']], [-1, 2]);
  });
});

describe('what clients see of a container', () => {
  test('until 1.51 tells the default bridge outside of the networks too, and no health in lists', async (t) => {
    const client = await DockerClient.start(t);
    const id = await client.create(['wait']);
    const inspect = async (minor: number): Promise<Body> =>
      (await client.call('GET', `/v1.${String(minor)}/containers/${id}/json`)).body as Body;
    assert.ok('IPAddress' in ((await inspect(51))['NetworkSettings'] as Body));
    const newest = (await inspect(52))['NetworkSettings'] as Body;
    assert.deepEqual(Object.keys(newest).sort(), ['Networks', 'Ports', 'SandboxID', 'SandboxKey']);
    const list = async (minor: number): Promise<Body> =>
      ((await client.call('GET', `/v1.${String(minor)}/containers/json?all=1`)).body as readonly Body[])[0] ?? {};
    assert.equal('Health' in (await list(51)), false);
    assert.deepEqual((await list(52))['Health'], { Status: 'none', FailingStreak: 0 });
  });

  test('until 1.44 has its short ID and host name among the aliases of networks that users made', () => {
    const networks = { boards: { Aliases: ['own'] }, bridge: { Aliases: null } };
    const body = { Id: 'abcdefabcdef0123', Config: { Hostname: 'web' }, NetworkSettings: { Networks: networks } };
    const aliases = (minor: number): unknown => {
      const shown = shownTo({ major: 1, minor }, 'container', body) as typeof body;
      return [shown.NetworkSettings.Networks.boards.Aliases, shown.NetworkSettings.Networks.bridge.Aliases];
    };
    assert.deepEqual(aliases(44), [['own', 'abcdefabcdef', 'web'], null]);
    assert.deepEqual(aliases(45), [['own'], null]);
  });
});

describe('what clients see of the system', () => {
  test('until 1.51 has the fields of events from before there were types', () => {
    const event = { status: 'start', id: 'x', from: 'app', Type: 'container' };
    assert.deepEqual(differences('event', event, 51, 52), [['from', 'id', 'status'], []]);
  });

  test('info has what old clients print', async (t) => {
    const client = await DockerClient.start(t);
    const info = async (minor: number): Promise<Body> =>
      (await client.call('GET', `/v1.${String(minor)}/info`)).body as Body;
    const [oldest, newest] = [await info(24), await info(54)];
    assert.deepEqual([oldest['BridgeNfIptables'], oldest['FirewallBackend']], [false, undefined]);
    assert.deepEqual(oldest['RuncCommit'], { ID: '', Expected: '' });
    assert.ok('AllowNondistributableArtifactsCIDRs' in (oldest['RegistryConfig'] as Body));
    assert.deepEqual([newest['BridgeNfIptables'], newest['FirewallBackend']], [undefined, { Driver: 'nftables' }]);
    assert.deepEqual(newest['RuncCommit'], { ID: '' });
  });

  test('networks tell their containers in lists until 1.27, and what they have left since 1.52', async (t) => {
    const client = await DockerClient.start(t);
    await client.engine.networks.create({ name: 'boards', subnets: [{ subnet: '172.16.0.0/24' }] });
    const at = async (minor: number): Promise<Body> =>
      (await client.call('GET', `/v1.${String(minor)}/networks/boards`)).body as Body;
    assert.equal('Status' in (await at(51)), false);
    assert.ok('Status' in (await at(52)));
  });
});
