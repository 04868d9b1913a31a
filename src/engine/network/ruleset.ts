import { parsePrefix } from '#formats/ip-prefix.ts';
import { setDeclaration, type SetElement, type SetType } from '#sys/nft/set-elements.ts';
import type { SetChange } from '#sys/nft/table.ts';

import { parseBridgeOptions } from './bridge-options.ts';
import { ipv4Subnet, ipv6Subnet, type NetworkDefinition } from './network-definition.ts';

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
  sources: { key: ['ipv4_addr'], data: ['ipv4_addr'], interval: true },
  sources6: { key: ['ipv6_addr'], data: ['ipv6_addr'], interval: true },
  unprotected: { key: ['ifname'] },
  unprotected6: { key: ['ifname'] },
  routed: { key: ['ifname'] },
  routed6: { key: ['ifname'] },
  direct: { key: ['ipv4_addr', 'inet_proto', 'inet_service'] },
  direct6: { key: ['ipv6_addr', 'inet_proto', 'inet_service'] },
  trusted: { key: ['ifname', 'ipv4_addr', 'inet_proto', 'inet_service'] },
  trusted6: { key: ['ifname', 'ipv6_addr', 'inet_proto', 'inet_service'] },
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
 * - `bridged`: what is routed from or to our bridges. Others come in by published ports only (`ct status dnat`), where the
 *   gateway mode of the network does not say more: `direct`, `trusted` and `routed` for published ports at the container's own
 *   address, `unprotected` for all of its ports.
 * - `postrouting`: who speaks to a container of its own bridge by a published port gets the answer through the host;
 *   who comes from 127.0.0.1 gets an address that can be answered; who leaves gets the address of the host, or the one that
 *   its network names (`sources`).
 */
const chains = (redirected: string): string => `
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 return
    ${redirected} jump to_container
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
    ip daddr . meta l4proto . th dport @direct accept
    ip6 daddr . meta l4proto . th dport @direct6 accept
    iifname . ip daddr . meta l4proto . th dport @trusted accept
    iifname . ip6 daddr . meta l4proto . th dport @trusted6 accept
    oifname @routed meta l4proto icmp accept
    oifname @routed6 meta l4proto ipv6-icmp accept
    iifname @bridges oifname @bridges drop
    meta nfproto ipv4 oifname @unprotected accept
    meta nfproto ipv6 oifname @unprotected6 accept
    oifname @bridges drop
    accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname . ip saddr @homes ct status dnat masquerade
    oifname . ip saddr @homes return
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    snat ip to ip saddr map @sources
    ip saddr @masqueraded masquerade
    oifname . ip6 saddr @homes6 ct status dnat masquerade
    oifname . ip6 saddr @homes6 return
    snat ip6 to ip6 saddr map @sources6
    ip6 saddr @masqueraded6 masquerade
  }
`;

/**
 * The table without elements, in nft's language. `respectHostFirewall`: packets from outside are left to the sockets that hold
 * the ports.
 */
export function rulesetText(table: string, respectHostFirewall: boolean): string {
  const sets = Object.entries(setTypes).map(([name, type]) => setDeclaration(name, type));
  const redirected = respectHostFirewall ? 'iifname @bridges fib daddr type local' : 'fib daddr type local';
  return `table inet ${table} {\n${sets.join('\n')}\n${chains(redirected)}}`;
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
  const options = parseBridgeOptions(network.options);
  const bridge = network.bridgeName;
  const elements: RulesetElement[] = [
    { set: 'bridges', key: [bridge] },
    { set: options.icc ? 'siblings' : 'strangers', key: [bridge, bridge] },
  ];
  if (network.internal) elements.push({ set: 'internal', key: [bridge] });
  for (const [subnet, suffix, mode, source] of [
    [ipv4Subnet(network), '', options.gatewayMode4, options.sourceIpv4],
    [ipv6Subnet(network), '6', options.gatewayMode6, options.sourceIpv6],
  ] as const) {
    if (subnet === undefined || parsePrefix(subnet.subnet) === undefined) continue;
    elements.push({ set: `homes${suffix}`, key: [bridge, subnet.subnet] });
    if (mode === 'nat-unprotected') elements.push({ set: `unprotected${suffix}`, key: [bridge] });
    if (mode === 'routed') elements.push({ set: `routed${suffix}`, key: [bridge] });
    if (network.internal || mode === 'routed' || !options.masquerade) continue;
    if (source === '') elements.push({ set: `masqueraded${suffix}`, key: [subnet.subnet] });
    else elements.push({ set: `sources${suffix}`, key: [subnet.subnet], data: [source] });
  }
  return elements;
}
