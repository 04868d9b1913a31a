import { randomBytes } from 'node:crypto';

import { StatusError } from '#base/errors.ts';
import { addressOfBytes, formatAddress, type IpAddress, parseAddress } from '#formats/ip-address.ts';
import {
  addressAt,
  containsAddress,
  containsPrefix,
  formatPrefix,
  type IpPrefix,
  parsePrefix,
  prefixesOverlap,
  prefixOf,
  prefixSize,
} from '#formats/ip-prefix.ts';

import type { NewNetwork, Subnet } from './networks.ts';

/** A pool of subnets for networks that name none: `base` split into blocks of `size` bits. */
export interface AddressPool {
  readonly base: string;
  readonly size: number;
}

/** Docker's own pools. */
export const defaultAddressPools: readonly AddressPool[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ base: `172.${String(17 + index)}.0.0/16`, size: 16 })),
  { base: '192.168.0.0/16', size: 20 },
];

/** What a plan has to give way to. */
export interface TakenSubnets {
  /** Subnets of our networks: never overlapped. */
  readonly own: readonly IpPrefix[];
  /** Subnets that the host's interfaces and routes use: only a chosen subnet gives way to them. */
  readonly host: readonly IpPrefix[];
}

type WantedSubnet = NonNullable<NewNetwork['subnets']>[number];

/**
 * The subnets of a new network: one for each family that it has. Throws InvalidArgument for addresses that do not fit,
 * Forbidden for an overlap with our own, Unavailable when the pools are exhausted.
 */
export function planSubnets(
  { subnets = [], enableIPv4 = true, enableIPv6 = false }: Pick<NewNetwork, 'subnets' | 'enableIPv4' | 'enableIPv6'>,
  pools: readonly AddressPool[],
  taken: TakenSubnets,
): readonly Subnet[] {
  if (!enableIPv4 && !enableIPv6) {
    throw new StatusError('InvalidArgument', 'IPv4 or IPv6 must be enabled');
  }
  const explicit = subnets.map((one) => ({ wanted: one, prefix: readSubnet(one) }));
  for (const family of [4, 6] as const) {
    if (explicit.filter(({ prefix }) => (prefix?.address.family ?? 4) === family).length > 1) {
      const message = `Cannot create network: it has several IPv${String(family)} subnets; give at most one`;
      throw new StatusError('NotSupported', message);
    }
  }
  const ipv4 = explicit.find(({ prefix }) => prefix?.address.family !== 6);
  const ipv6 = explicit.find(({ prefix }) => prefix?.address.family === 6);
  const off = [
    { found: ipv4, enabled: enableIPv4, family: 'IPv4' },
    { found: ipv6, enabled: enableIPv6, family: 'IPv6' },
  ].find(({ found, enabled }) => found !== undefined && !enabled);
  if (off !== undefined) {
    const message = `Cannot create network: subnet "${off.found?.wanted.subnet ?? ''}" is ${off.family} but ${off.family} is off; enable ${off.family}`;
    throw new StatusError('InvalidArgument', message);
  }
  const plan: Subnet[] = [];
  if (enableIPv4) plan.push(describe(ipv4?.wanted ?? {}, own(ipv4?.prefix, taken) ?? chooseIPv4(pools, taken)));
  if (enableIPv6) plan.push(describe(ipv6?.wanted ?? {}, own(ipv6?.prefix, taken) ?? chooseIPv6(pools, taken)));
  return plan;
}

/** From Docker's own pools when all that are given are IPv6. */
function chooseIPv4(pools: readonly AddressPool[], taken: TakenSubnets): IpPrefix {
  const own = poolsOf(pools, 4);
  return chooseSubnet(own.length === 0 ? defaultAddressPools : own, taken);
}

/** A unique local subnet when no pool is IPv6. */
function chooseIPv6(pools: readonly AddressPool[], taken: TakenSubnets): IpPrefix {
  const own = poolsOf(pools, 6);
  return own.length === 0 ? uniqueLocalSubnet() : chooseSubnet(own, taken);
}

function poolsOf(pools: readonly AddressPool[], family: 4 | 6): readonly AddressPool[] {
  return pools.filter(({ base }) => parsePrefix(base)?.address.family === family);
}

/** The first block of the pools that overlaps with nothing. */
export function chooseSubnet(pools: readonly AddressPool[], taken: TakenSubnets): IpPrefix {
  const others = [...taken.own, ...taken.host];
  for (const { base, size } of pools) {
    const pool = parsePrefix(base);
    if (pool === undefined || size < pool.length) continue;
    let next: IpAddress = pool.address;
    while (containsAddress(pool, next)) {
      const block = prefixOf(next, size);
      const obstacle = others.find((other) => prefixesOverlap(other, block));
      if (obstacle === undefined) return block;
      // Go on behind the larger of the two, so that a large obstacle costs one step.
      const behind = obstacle.length < block.length ? obstacle : block;
      next = { family: next.family, value: behind.address.value + prefixSize(behind) };
    }
  }
  throw new StatusError('Unavailable', 'all predefined address pools have been fully subnetted');
}

/** A random /64 of fd00::/8 (RFC 4193). */
function uniqueLocalSubnet(): IpPrefix {
  const bytes = new Uint8Array(16);
  bytes.set(randomBytes(8));
  bytes[0] = 0xfd;
  const address = addressOfBytes(bytes);
  if (address === undefined) throw new Error('sixteen bytes are an address');
  return prefixOf(address, 64);
}

function readSubnet(wanted: WantedSubnet): IpPrefix | undefined {
  if (wanted.subnet === undefined || wanted.subnet === '') return undefined;
  const prefix = parsePrefix(wanted.subnet);
  if (prefix === undefined) throw invalid('subnet', wanted.subnet, 'is not an address block such as 10.1.0.0/24');
  const hostBits = (prefix.address.family === 4 ? 32 : 128) - prefix.length;
  if (hostBits < 2) throw invalid('subnet', wanted.subnet, 'has no room for containers');
  return prefix;
}

function own(prefix: IpPrefix | undefined, taken: TakenSubnets): IpPrefix | undefined {
  if (prefix !== undefined && taken.own.some((other) => prefixesOverlap(other, prefix))) {
    throw new StatusError('Forbidden', 'invalid pool request: Pool overlaps with other one on this address space');
  }
  return prefix;
}

function describe(wanted: WantedSubnet, prefix: IpPrefix): Subnet {
  const within = (what: string, text: string): string => {
    const address = parseAddress(text);
    if (address === undefined) throw invalid(what, text, 'is not an IP address');
    if (!containsAddress(prefix, address)) throw invalid(what, text, `is not in the subnet ${formatPrefix(prefix)}`);
    return formatAddress(address);
  };
  const gateway = within('gateway', wanted.gateway || formatAddress(addressAt(prefix, 1n)));
  const aux = Object.entries(wanted.auxAddresses ?? {}).map(([name, text]) => [
    name,
    within('auxiliary address', text),
  ]);
  return {
    subnet: formatPrefix(prefix),
    gateway,
    ...(wanted.ipRange ? { ipRange: formatPrefix(readRange(wanted.ipRange, prefix)) } : {}),
    ...(aux.length > 0 ? { auxAddresses: Object.fromEntries(aux) as Record<string, string> } : {}),
  };
}

function readRange(text: string, subnet: IpPrefix): IpPrefix {
  const range = parsePrefix(text);
  if (range === undefined) throw invalid('IP range', text, 'is not an address block');
  if (!containsPrefix(subnet, range)) throw invalid('IP range', text, `is not in the subnet ${formatPrefix(subnet)}`);
  return range;
}

function invalid(what: string, text: string, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot create network: ${what} "${text}" ${state}; correct it`);
}

/** The subnets of networks, as prefixes. */
export function ownPrefixes(networks: readonly { readonly subnets: readonly Subnet[] }[]): readonly IpPrefix[] {
  return networks
    .flatMap(({ subnets }) => subnets.map(({ subnet }) => parsePrefix(subnet)))
    .filter((prefix) => prefix !== undefined);
}
