import { parsePrefix } from '#formats/ip-prefix.ts';
import { setDeclaration, type SetElement, type SetType } from '#sys/nft/set-elements.ts';
import type { SetChange } from '#sys/nft/table.ts';

import { parseBridgeOptions } from './bridge-options.ts';
import { ipv4Subnet, ipv6Subnet, type NetworkDefinition } from './network-definition.ts';
import type { PublishedPort } from './networks.ts';

/** One published port, and the container behind it. */
export interface PortTarget {
  readonly port: PublishedPort;
  /** '' when the container has none of this family. */
  readonly ipv4Address: string;
  readonly ipv6Address: string;
}

/** The sets and maps of our table. */
const setTypes = {
  bridges: { key: ['ifname'] },
  internal: { key: ['ifname'] },
  siblings: { key: ['ifname', 'ifname'] },
  strangers: { key: ['ifname', 'ifname'] },
  homes: { key: ['ifname', 'ipv4_addr'], interval: true },
  homes6: { key: ['ifname', 'ipv6_addr'], interval: true },
  masqueraded: { key: ['ipv4_addr'], interval: true },
  masqueraded6: { key: ['ipv6_addr'], interval: true },
  published: { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
  published_on: { key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] },
  published6: { key: ['inet_proto', 'inet_service'], data: ['ipv6_addr', 'inet_service'] },
  published6_on: { key: ['ipv6_addr', 'inet_proto', 'inet_service'], data: ['ipv6_addr', 'inet_service'] },
} as const satisfies Record<string, SetType>;

/** An element of a set or map of our table. */
export interface RulesetElement extends SetElement {
  readonly set: keyof typeof setTypes;
}

/**
 * The frame of our one table. Networks and ports are elements of its sets and maps: a network or a port costs one
 * element, and a packet one lookup however many there are.
 *
 * - `guard`: containers must not reach the host's own 127.0.0.0/8, which route_localnet would let them.
 * - `prerouting`, `output`: to a published port of an address of this host, from outside, from containers and from here.
 * - `bridged`: what is routed from or to our bridges. Other networks come in by published ports only (`ct status dnat`).
 * - `postrouting`: who speaks to a container of its own bridge by a published port gets the answer through the host;
 *   who comes from 127.0.0.1 gets an address that can be answered; who leaves gets the address of the host.
 */
const chains = `
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 return
    fib daddr type local jump to_container
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump to_container
  }
  chain to_container {
    dnat ip to ip daddr . meta l4proto . th dport map @published_on
    dnat ip to meta l4proto . th dport map @published
    ip6 daddr ::1 return
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6_on
    dnat ip6 to meta l4proto . th dport map @published6
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname @bridges jump bridged
    oifname @bridges jump bridged
  }
  chain bridged {
    iifname . oifname @siblings accept
    iifname . oifname @strangers ct status dnat accept
    iifname . oifname @strangers ct state established,related accept
    iifname . oifname @strangers drop
    iifname @internal drop
    oifname @internal drop
    ct state established,related accept
    ct status dnat accept
    oifname @bridges drop
    accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname . ip saddr @homes ct status dnat masquerade
    oifname . ip saddr @homes return
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    ip saddr @masqueraded masquerade
    oifname . ip6 saddr @homes6 ct status dnat masquerade
    oifname . ip6 saddr @homes6 return
    ip6 saddr @masqueraded6 masquerade
  }
`;

/** The table without elements, in nft's language. */
export function rulesetText(table: string): string {
  const sets = Object.entries(setTypes).map(([name, type]) => setDeclaration(name, type));
  return `table inet ${table} {\n${sets.join('\n')}\n${chains}}`;
}

/** What is to be changed of which set, each element once. */
export function setChanges(elements: readonly RulesetElement[]): readonly SetChange[] {
  return Array.from(
    Map.groupBy(elements, ({ set }) => set),
    ([set, members]) => {
      const distinct = new Map(members.map(({ key, data = [] }) => [[...key, ':', ...data].join(' '), { key, data }]));
      return { set, type: setTypes[set], elements: [...distinct.values()] };
    },
  );
}

export function networkElements(network: NetworkDefinition): readonly RulesetElement[] {
  if (network.driver !== 'bridge') return [];
  const { icc, masquerade } = parseBridgeOptions(network.options);
  const bridge = network.bridgeName;
  const leaves = masquerade && !network.internal;
  const elements: RulesetElement[] = [
    { set: 'bridges', key: [bridge] },
    { set: icc ? 'siblings' : 'strangers', key: [bridge, bridge] },
  ];
  if (network.internal) elements.push({ set: 'internal', key: [bridge] });
  for (const [subnet, suffix] of [
    [ipv4Subnet(network), ''],
    [ipv6Subnet(network), '6'],
  ] as const) {
    if (subnet === undefined || parsePrefix(subnet.subnet) === undefined) continue;
    elements.push({ set: `homes${suffix}`, key: [bridge, subnet.subnet] });
    if (leaves) elements.push({ set: `masqueraded${suffix}`, key: [subnet.subnet] });
  }
  return elements;
}

/** A port of an IPv6 address leads to the container's IPv6 address; a container without one has a relay instead. */
export function portElements({ port, ipv4Address, ipv6Address }: PortTarget): readonly RulesetElement[] {
  const ipv6 = port.hostIp.includes(':');
  const address = ipv6 ? ipv6Address : ipv4Address;
  if (address === '') return [];
  const key = [port.protocol, port.hostPort];
  const data = [address, port.containerPort];
  const suffix = ipv6 ? '6' : '';
  if (['0.0.0.0', '::'].includes(port.hostIp)) return [{ set: `published${suffix}`, key, data }];
  return [{ set: `published${suffix}_on`, key: [port.hostIp, ...key], data }];
}
