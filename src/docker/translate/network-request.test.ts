import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import type { Container, ContainerSpec } from '#engine/runtime/container.ts';
import type { Config, EndpointSettings } from './config-fields.ts';
import type { HostConfig } from './host-config-fields.ts';
import type { NetworkWorld } from './network-request.ts';
import { networkRequest } from './network-request.ts';

const networks = ['bridge', 'boards', 'other'].map((name) => ({ name, id: `id-of-${name}` }));

const world: NetworkWorld = {
  container: (name) => {
    if (name !== 'peer') throw new StatusError('NotFound', `No such container: ${name}`);
    return { id: 'id-of-peer', spec: { network: { mode: 'networks' } } } as Container;
  },
  network: (name) => {
    const found = networks.find((network) => network.name === name || network.id === name);
    if (found === undefined) throw new StatusError('NotFound', `network ${name} not found`);
    return found;
  },
};

function translate(
  host: HostConfig,
  endpoints: Record<string, EndpointSettings> = {},
  config: Config = {},
): ContainerSpec['network'] {
  return networkRequest(config, host, endpoints, world);
}

const nothing = { ports: [], dns: { servers: [], search: [], options: [] }, extraHosts: [] };

describe('the network of a container', () => {
  const cases: readonly (readonly [string, Parameters<typeof translate>, object])[] = [
    ['nothing said', [{}], { mode: 'networks', endpoints: [{ network: 'bridge' }] }],
    ['default', [{ NetworkMode: 'default' }], { mode: 'networks', endpoints: [{ network: 'bridge' }] }],
    ['host', [{ NetworkMode: 'host' }], { mode: 'host', endpoints: [] }],
    ['none', [{ NetworkMode: 'none' }, { none: {} }], { mode: 'none', endpoints: [] }],
    ['NetworkDisabled', [{}, {}, { NetworkDisabled: true }], { mode: 'none', endpoints: [] }],
    ['by name', [{ NetworkMode: 'boards' }], { mode: 'networks', endpoints: [{ network: 'boards' }] }],
    ['by ID', [{ NetworkMode: 'id-of-boards' }], { mode: 'networks', endpoints: [{ network: 'boards' }] }],
    [
      'with an address and aliases',
      [
        { NetworkMode: 'boards' },
        { boards: { IPAMConfig: { IPv4Address: '172.16.0.21' }, Aliases: ['a'], MacAddress: '02:00:00:00:00:01' } },
      ],
      {
        mode: 'networks',
        endpoints: [{ network: 'boards', ipv4Address: '172.16.0.21', macAddress: '02:00:00:00:00:01', aliases: ['a'] }],
      },
    ],
    [
      'several, the mode first',
      [{ NetworkMode: 'boards' }, { other: {}, boards: { Aliases: ['b'] } }],
      { mode: 'networks', endpoints: [{ network: 'boards', aliases: ['b'] }, { network: 'other' }] },
    ],
    [
      'networks without a mode are all there is',
      [{}, { boards: {} }],
      { mode: 'networks', endpoints: [{ network: 'boards' }] },
    ],
    [
      'a mode that is not among the networks comes along',
      [{ NetworkMode: 'boards' }, { other: {} }],
      { mode: 'networks', endpoints: [{ network: 'boards' }, { network: 'other' }] },
    ],
    [
      'the old place of the MAC address',
      [{ NetworkMode: 'boards' }, {}, { MacAddress: '02:00:00:00:00:02' }],
      { mode: 'networks', endpoints: [{ network: 'boards', macAddress: '02:00:00:00:00:02' }] },
    ],
    [
      'links on the default bridge',
      [{ Links: ['peer:db', '/peer:/web/cache', 'peer'] }],
      {
        mode: 'networks',
        endpoints: [{ network: 'bridge' }],
        links: ['db', 'cache', 'peer'].map((alias) => ({ containerId: 'id-of-peer', alias })),
      },
    ],
    [
      'wishes for an endpoint; on networks of the user, links are names there',
      [
        { NetworkMode: 'boards', Links: ['who:db'] },
        {
          boards: {
            IPAMConfig: { LinkLocalIPs: ['169.254.1.1'] },
            Links: ['who:db'],
            DriverOpts: { a: 'b' },
            GwPriority: 7,
          },
        },
      ],
      {
        mode: 'networks',
        endpoints: [
          {
            network: 'boards',
            linkLocalAddresses: ['169.254.1.1'],
            links: [{ name: 'who', alias: 'db' }],
            driverOptions: { a: 'b' },
            gatewayPriority: 7,
          },
        ],
      },
    ],
    [
      'exposed ports are noted',
      [{}, {}, { ExposedPorts: { '80': {}, '53/udp': {} } }],
      {
        mode: 'networks',
        endpoints: [{ network: 'bridge' }],
        exposed: [
          { containerPort: 80, protocol: 'tcp' },
          { containerPort: 53, protocol: 'udp' },
        ],
      },
    ],
    [
      'that of another container',
      [{ NetworkMode: 'container:peer' }],
      { mode: 'container', shareWith: 'id-of-peer', endpoints: [] },
    ],
  ];
  for (const [name, input, expected] of cases) {
    test(name, () => assert.deepEqual(translate(...input), { ...nothing, ...expected }));
  }

  test('resolver, hosts and ports come along', () => {
    const host: HostConfig = {
      Dns: ['1.1.1.1'],
      DnsSearch: ['lan'],
      DnsOptions: ['ndots:1'],
      ExtraHosts: ['db:10.0.0.1', 'gw:host-gateway', 'six=[fd00::1]'],
      PortBindings: { '80/tcp': [{ HostPort: '80' }] },
    };
    const { dns, extraHosts, ports } = translate(host);
    assert.deepEqual(dns, { servers: ['1.1.1.1'], search: ['lan'], options: ['ndots:1'] });
    assert.deepEqual(extraHosts, ['db:10.0.0.1', 'gw:host-gateway', 'six:fd00::1']);
    assert.equal(ports.length, 1);
    assert.deepEqual(translate({ ...host, NetworkMode: 'host' }).ports, []);
  });

  const wrong: readonly (readonly [string, Parameters<typeof translate>, string, RegExp])[] = [
    ['an unknown network', [{ NetworkMode: 'nope' }], 'NotFound', /network nope not found/],
    ['an unknown second one', [{ NetworkMode: 'boards' }, { nope: {} }], 'NotFound', /network nope not found/],
    ['an unknown peer', [{ NetworkMode: 'container:who' }], 'NotFound', /No such container: who/],
    ['no peer', [{ NetworkMode: 'container:' }], 'InvalidArgument', /name a container/],
    ['host and another', [{ NetworkMode: 'host' }, { boards: {} }], 'InvalidArgument', /conflicting options/],
    [
      'ports in the network of another',
      [{ NetworkMode: 'container:peer', PortBindings: { '80': [{}] } }],
      'InvalidArgument',
      /conflicting options: port publishing/,
    ],
    [
      'a hostname in the network of another',
      [{ NetworkMode: 'container:peer' }, {}, { Hostname: 'x' }],
      'InvalidArgument',
      /conflicting options: hostname/,
    ],
    ['a link to nothing', [{}, { boards: { Links: [':db'] } }], 'InvalidArgument', /bad format for links: :db/],
    ['a link to nobody', [{ Links: ['who:db'] }], 'InvalidArgument', /could not get container for who/],
    ['links of the host', [{ NetworkMode: 'host', Links: ['peer'] }], 'InvalidArgument', /host type networking can't/],
    [
      'links of a guest',
      [{ NetworkMode: 'container:peer', Links: ['peer'] }],
      'InvalidArgument',
      /container type network/,
    ],
    ['a host without an address', [{ ExtraHosts: ['db'] }], 'InvalidArgument', /bad format for add-host: "db"/],
    ['a host with a name as address', [{ ExtraHosts: ['db:other'] }], 'InvalidArgument', /bad format for add-host/],
  ];
  for (const [name, input, reason, message] of wrong) {
    test(`refuses ${name}`, () => assert.throws(() => translate(...input), { reason, message }));
  }
});
