import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DockerClient } from '#kit/fake-engine/docker-client.ts';

import type { CreateRequest } from '../translate/create-request.ts';
import { asAskedBy } from './as-asked-by.ts';

function meant(minor: number, request: CreateRequest): CreateRequest {
  return asAskedBy({ major: 1, minor }, request);
}

type HostConfig = NonNullable<CreateRequest['HostConfig']>;

function hostAt(minor: number, host: HostConfig): HostConfig {
  return meant(minor, { HostConfig: host }).HostConfig ?? {};
}

describe('a create request of an old client', () => {
  test('removes the container by itself until 1.24', () => {
    assert.deepEqual(
      [24, 25].map((minor) => hostAt(minor, { AutoRemove: true }).AutoRemove),
      [false, true],
    );
  });

  test('shares its memory until 1.39', () => {
    assert.deepEqual(
      [39, 40].map((minor) => hostAt(minor, {}).IpcMode),
      ['shareable', undefined],
    );
    assert.equal(hostAt(39, { IpcMode: 'private' }).IpcMode, 'private');
  });

  test('does not know a size of the console, annotations or intervals at the start', () => {
    assert.deepEqual(
      [41, 42].map((minor) => hostAt(minor, { ConsoleSize: [1, 2] }).ConsoleSize),
      [undefined, [1, 2]],
    );
    assert.deepEqual(
      [42, 43].map((minor) => hostAt(minor, { Annotations: { a: 'b' } }).Annotations),
      [undefined, { a: 'b' }],
    );
    const request: CreateRequest = { Healthcheck: { Interval: 5, StartInterval: 7 } };
    assert.deepEqual(meant(43, request).Healthcheck, { Interval: 5 });
    assert.deepEqual(meant(44, request).Healthcheck, { Interval: 5, StartInterval: 7 });
  });

  test('may have options of other types of mounts until 1.41, which do nothing', () => {
    const bind = {
      Type: 'bind',
      BindOptions: { CreateMountpoint: true, Propagation: 'rslave' },
      VolumeOptions: { NoCopy: true },
    };
    assert.deepEqual(hostAt(41, { Mounts: [bind] }).Mounts, [{ Type: 'bind', BindOptions: { Propagation: 'rslave' } }]);
    assert.deepEqual(hostAt(42, { Mounts: [bind] }).Mounts, [bind]);
  });

  test('mounts read-only without what is below until 1.43', () => {
    const readOnly = { Type: 'bind', ReadOnly: true };
    assert.deepEqual(hostAt(43, { Mounts: [readOnly, { Type: 'bind' }] }).Mounts, [
      { ...readOnly, BindOptions: { ReadOnlyNonRecursive: true } },
      { Type: 'bind' },
    ]);
    assert.deepEqual(hostAt(44, { Mounts: [readOnly] }).Mounts, [readOnly]);
  });

  test('is refused where ignoring it would be dangerous', () => {
    const cases: readonly (readonly [number, HostConfig, RegExp])[] = [
      [44, { Mounts: [{ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: true } }] }, /needs API v1\.44/],
      [45, { Mounts: [{ Type: 'volume', VolumeOptions: { Subpath: 'a' } }] }, /needs API v1\.45/],
      [48, { Mounts: [{ Type: 'image', Source: 'a' }] }, /needs API v1\.48/],
    ];
    for (const [since, host, words] of cases) {
      assert.throws(() => hostAt(since - 1, host), { reason: 'InvalidArgument', message: words });
      assert.deepEqual(hostAt(since, host), host);
    }
  });

  test('names one network until 1.43, without an address of the card', () => {
    const request = (endpoints: object): CreateRequest => ({ NetworkingConfig: { EndpointsConfig: { ...endpoints } } });
    const two = request({ a: {}, b: {} });
    assert.throws(() => meant(43, two), {
      message: 'Container cannot be created with multiple network endpoints: a, b',
    });
    assert.deepEqual(meant(44, two).NetworkingConfig, two.NetworkingConfig);
    const one = request({ a: { MacAddress: '02:42:0a:00:00:01', GwPriority: 5 } });
    const endpointAt = (minor: number): unknown => meant(minor, one).NetworkingConfig?.EndpointsConfig?.['a'];
    assert.deepEqual(endpointAt(43), {});
    assert.deepEqual(endpointAt(47), { MacAddress: '02:42:0a:00:00:01' });
    assert.deepEqual(endpointAt(48), { MacAddress: '02:42:0a:00:00:01', GwPriority: 5 });
  });

  test('names the card of the container itself until 1.51', () => {
    const request = { MacAddress: '02:42:0a:00:00:01' };
    assert.deepEqual([meant(51, request).MacAddress, meant(52, request).MacAddress], [request.MacAddress, undefined]);
  });
});

test('parameters that came later do nothing for old clients', async (t) => {
  const client = await DockerClient.start(t);
  await client.run(['wait'], {}, '?name=web');
  const wait = await client.call('POST', '/v1.30/containers/web/wait?condition=odd');
  assert.equal(wait.status, 400);
  await client.call('POST', '/v1.41/containers/web/stop?signal=SIGINT&t=1');
  assert.equal((await client.call('POST', '/v1.29/containers/web/wait?condition=odd')).status, 200);
  await client.call('POST', '/v1.42/containers/web/start');
  await client.call('POST', '/v1.42/containers/web/stop?signal=SIGINT&t=1');
  const stops = client.engine.containers.calls.filter((call) => call.startsWith('stop'));
  assert.equal(stops.length, 2);
  assert.doesNotMatch(stops[0] ?? '', /SIGINT/);
  assert.match(stops[1] ?? '', /SIGINT/);
  const images = async (version: string): Promise<unknown> =>
    (await client.call('GET', `/v${version}/images/json?filter=no-such-image`)).body;
  assert.deepEqual(await images('1.24'), []);
  assert.notDeepEqual(await images('1.41'), []);
  assert.equal((await client.call('GET', '/v1.54/images/json?identity=1')).status, 400);
  assert.equal((await client.call('GET', '/v1.53/images/json?identity=1')).status, 200);
  const noIpv4 = { Name: 'six', EnableIPv4: false };
  assert.equal((await client.call('POST', '/v1.47/networks/create', noIpv4)).status, 201);
});
