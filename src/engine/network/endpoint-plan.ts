import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { newId, shortId } from '#base/ids.ts';
import { addressBytes, parseAddress } from '#formats/ip-address.ts';
import { containsAddress, parsePrefix } from '#formats/ip-prefix.ts';
import { formatMacAddress, macAddressOfIpv4, parseMacAddress } from '#formats/mac-address.ts';

import { chooseAddress, fitsSubnet, noSubnetContains } from './address-choice.ts';
import { randomMacAddress } from './bridge.ts';
import { parseEndpointOptions } from './endpoint-options.ts';
import {
  defaultNetworkName,
  hasEndpoints,
  hasNames,
  ipv4Subnet,
  ipv6Subnet,
  type NetworkDefinition,
} from './network-definition.ts';
import type { Endpoint, EndpointRequest, SandboxRequest } from './networks.ts';

const linkLocalBlocks = ['169.254.0.0/16', 'fe80::/10'].map((text) => required(parsePrefix(text), text));

export type EndpointOwner = Pick<SandboxRequest, 'containerId' | 'containerName' | 'hostname'>;

/**
 * A new endpoint of a container on a network: addresses, names and interface. `used` are the addresses of the network's
 * other endpoints. Throws InvalidArgument, Conflict, Unavailable.
 */
export function planEndpoint(
  network: NetworkDefinition,
  request: EndpointRequest,
  owner: EndpointOwner,
  interfaceName: string,
  used: ReadonlySet<string>,
): Endpoint {
  checkEndpoint(network, request);
  const [ipv4, ipv6] = [ipv4Subnet(network), ipv6Subnet(network)];
  const ipv4Address = ipv4 === undefined ? '' : chooseAddress(ipv4, request.ipv4Address, used);
  const ipv6Address = ipv6 === undefined ? '' : chooseAddress(ipv6, request.ipv6Address, used);
  return {
    endpointId: newId(),
    containerId: owner.containerId,
    containerName: owner.containerName,
    networkId: network.id,
    networkName: network.name,
    interfaceName,
    macAddress: chooseMacAddress(request.macAddress ?? '', ipv4Address),
    ipv4Address,
    ipv4PrefixLength: ipv4 === undefined ? 0 : prefixLength(ipv4.subnet),
    ipv4Gateway: ipv4 === undefined || network.internal ? '' : ipv4.gateway,
    ipv6Address,
    ipv6PrefixLength: ipv6 === undefined ? 0 : prefixLength(ipv6.subnet),
    ipv6Gateway: ipv6 === undefined || network.internal ? '' : ipv6.gateway,
    linkLocalAddresses: request.linkLocalAddresses ?? [],
    gatewayPriority: request.gatewayPriority ?? 0,
    links: request.links ?? [],
    driverOptions: request.driverOptions ?? {},
    aliases: request.aliases ?? [],
    dnsNames: hasNames(network) ? namesOf(owner, request.aliases ?? []) : [],
  };
}

/** Whether a request makes sense for a network, whatever else is on it. */
export function checkEndpoint(network: NetworkDefinition, request: EndpointRequest): void {
  const { ipv4Address = '', ipv6Address = '', macAddress = '' } = request;
  if (!hasEndpoints(network)) {
    const message = `container cannot be connected to network ${network.name}: it gives no interfaces`;
    throw new StatusError('Forbidden', message);
  }
  if (network.name === defaultNetworkName && (ipv4Address !== '' || ipv6Address !== '')) {
    const message = 'invalid endpoint settings: user specified IP address is supported on user defined networks only';
    throw new StatusError('InvalidArgument', message);
  }
  if (ipv4Address !== '' && !fitsSubnet(ipv4Subnet(network), ipv4Address)) throw noSubnetContains(ipv4Address);
  if (ipv6Address !== '' && !fitsSubnet(ipv6Subnet(network), ipv6Address)) throw noSubnetContains(ipv6Address);
  if (macAddress !== '' && parseMacAddress(macAddress) === undefined) {
    throw new StatusError('InvalidArgument', `invalid MAC address: "${macAddress}"`);
  }
  const stray = request.linkLocalAddresses?.find((text) => !isLinkLocal(text));
  if (stray !== undefined) {
    const message = `invalid link-local IP address "${stray}": want one of 169.254.0.0/16 or fe80::/10`;
    throw new StatusError('InvalidArgument', message);
  }
  parseEndpointOptions(request.driverOptions ?? {});
}

function chooseMacAddress(wanted: string, ipv4Address: string): string {
  const own = parseMacAddress(wanted);
  if (own !== undefined) return formatMacAddress(own);
  const address = parseAddress(ipv4Address);
  return address === undefined ? formatMacAddress(randomMacAddress()) : macAddressOfIpv4(addressBytes(address));
}

function isLinkLocal(text: string): boolean {
  const address = parseAddress(text);
  return linkLocalBlocks.some((block) => address !== undefined && containsAddress(block, address));
}

/** The names that containers of the same network find it by. */
export function namesOf(owner: EndpointOwner, aliases: readonly string[]): readonly string[] {
  const names = [owner.containerName, ...aliases, shortId(owner.containerId), owner.hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/** The endpoints that default routes and published ports use. */
export interface Gateways {
  readonly ipv4: Endpoint | undefined;
  readonly ipv6: Endpoint | undefined;
}

/** For each family the one with the highest priority, then the first by network name, among those that lead out. */
export function gatewaysOf(endpoints: readonly Endpoint[]): Gateways {
  const sorted = endpoints.toSorted(
    (one, other) => other.gatewayPriority - one.gatewayPriority || (one.networkName < other.networkName ? -1 : 1),
  );
  return {
    ipv4: sorted.find(({ ipv4Gateway }) => ipv4Gateway !== ''),
    ipv6: sorted.find(({ ipv6Gateway }) => ipv6Gateway !== ''),
  };
}

/** The one that was wished for, or the first of eth0, eth1, ... that is free. Throws Conflict. */
export function chooseInterfaceName(
  endpoints: readonly Pick<Endpoint, 'interfaceName'>[],
  wanted: string | undefined,
  prefix: string,
): string {
  const taken = new Set(endpoints.map(({ interfaceName }) => interfaceName));
  if (wanted !== undefined) {
    if (!taken.has(wanted)) return wanted;
    const message = `Cannot name an interface "${wanted}": the container has one of this name already; choose another`;
    throw new StatusError('Conflict', message);
  }
  for (let number = 0; ; number += 1) {
    const name = `${prefix}${String(number)}`;
    if (!taken.has(name)) return name;
  }
}

function prefixLength(subnet: string): number {
  return required(parsePrefix(subnet), 'subnet').length;
}
