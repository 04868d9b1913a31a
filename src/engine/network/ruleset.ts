import { parsePrefix } from '#formats/ip-prefix.ts';

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

/** An element of a set or map of our table; both as nft writes them. */
export interface RulesetElement {
  readonly set: string;
  readonly element: string;
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
const frame = `
  set bridges { type ifname; }
  set internal { type ifname; }
  set siblings { type ifname . ifname; }
  set strangers { type ifname . ifname; }
  set homes { type ifname . ipv4_addr; flags interval; }
  set homes6 { type ifname . ipv6_addr; flags interval; }
  set masqueraded { type ipv4_addr; flags interval; }
  set masqueraded6 { type ipv6_addr; flags interval; }
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; }
  map published_on { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
  map published6 { type inet_proto . inet_service : ipv6_addr . inet_service; }
  map published6_on { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }
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

/** The whole table with its elements, in the place of what was there, as one transaction. */
export function rulesetText(table: string, elements: readonly RulesetElement[]): string {
  const whole = `add table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {${frame}}`;
  return [whole, addElementsText(table, elements)].join('\n');
}

/** Adding what is there already (the same) is no error. */
export function addElementsText(table: string, elements: readonly RulesetElement[]): string {
  return commands('add', table, elements);
}

/** nft refuses the whole when one is not there. */
export function deleteElementsText(table: string, elements: readonly RulesetElement[]): string {
  return commands('delete', table, elements);
}

export function networkElements(network: NetworkDefinition): readonly RulesetElement[] {
  if (network.driver !== 'bridge') return [];
  const { icc, masquerade } = parseBridgeOptions(network.options);
  const bridge = `"${network.bridgeName}"`;
  const leaves = masquerade && !network.internal;
  const elements: RulesetElement[] = [
    { set: 'bridges', element: bridge },
    { set: icc ? 'siblings' : 'strangers', element: `${bridge} . ${bridge}` },
  ];
  if (network.internal) elements.push({ set: 'internal', element: bridge });
  for (const [subnet, suffix] of [
    [ipv4Subnet(network), ''],
    [ipv6Subnet(network), '6'],
  ] as const) {
    if (subnet === undefined || parsePrefix(subnet.subnet) === undefined) continue;
    elements.push({ set: `homes${suffix}`, element: `${bridge} . ${subnet.subnet}` });
    if (leaves) elements.push({ set: `masqueraded${suffix}`, element: subnet.subnet });
  }
  return elements;
}

/** A port of an IPv6 address leads to the container's IPv6 address; a container without one has a relay instead. */
export function portElements({ port, ipv4Address, ipv6Address }: PortTarget): readonly RulesetElement[] {
  const ipv6 = port.hostIp.includes(':');
  const address = ipv6 ? ipv6Address : ipv4Address;
  if (address === '') return [];
  const key = `${port.protocol} . ${String(port.hostPort)}`;
  const target = `${address} . ${String(port.containerPort)}`;
  const suffix = ipv6 ? '6' : '';
  if (['0.0.0.0', '::'].includes(port.hostIp)) return [{ set: `published${suffix}`, element: `${key} : ${target}` }];
  return [{ set: `published${suffix}_on`, element: `${port.hostIp} . ${key} : ${target}` }];
}

function commands(verb: string, table: string, elements: readonly RulesetElement[]): string {
  const bySet = Map.groupBy(elements, ({ set }) => set);
  return Array.from(bySet, ([set, members]) => {
    const list = [...new Set(members.map(({ element }) => element))].join(', ');
    return `${verb} element inet ${table} ${set} { ${list} }`;
  }).join('\n');
}
