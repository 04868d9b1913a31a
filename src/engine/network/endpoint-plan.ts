import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';
import { newId, shortId } from '#base/ids.ts';
import { addressBytes, parseAddress } from '#formats/ip-address.ts';
import { parsePrefix } from '#formats/ip-prefix.ts';
import { formatMacAddress, macAddressOfIpv4, parseMacAddress } from '#formats/mac-address.ts';

import { chooseAddress, fitsSubnet, noSubnetContains } from './address-choice.ts';
import { defaultNetworkName, hasNames, ipv4Subnet, ipv6Subnet, type NetworkDefinition } from './network-definition.ts';
import type { Endpoint, EndpointRequest, SandboxRequest } from './networks.ts';

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
  const [ipv4, ipv6] = [required(ipv4Subnet(network), 'IPv4 subnet'), ipv6Subnet(network)];
  const ipv4Address = chooseAddress(ipv4, request.ipv4Address, used);
  const ipv6Address = ipv6 === undefined ? '' : chooseAddress(ipv6, request.ipv6Address, used);
  const bytes = addressBytes(required(parseAddress(ipv4Address), 'chosen address'));
  const wantedMac = parseMacAddress(request.macAddress ?? '');
  return {
    endpointId: newId(),
    containerId: owner.containerId,
    containerName: owner.containerName,
    networkId: network.id,
    networkName: network.name,
    interfaceName,
    macAddress: wantedMac === undefined ? macAddressOfIpv4(bytes) : formatMacAddress(wantedMac),
    ipv4Address,
    ipv4PrefixLength: prefixLength(ipv4.subnet),
    ipv4Gateway: network.internal ? '' : ipv4.gateway,
    ipv6Address,
    ipv6PrefixLength: ipv6 === undefined ? 0 : prefixLength(ipv6.subnet),
    ipv6Gateway: ipv6 === undefined || network.internal ? '' : ipv6.gateway,
    aliases: request.aliases ?? [],
    dnsNames: hasNames(network) ? namesOf(owner, request.aliases ?? []) : [],
  };
}

/** Whether a request makes sense for a network, whatever else is on it. */
export function checkEndpoint(network: NetworkDefinition, request: EndpointRequest): void {
  const { ipv4Address = '', ipv6Address = '', macAddress = '' } = request;
  if (network.driver !== 'bridge') {
    throw new StatusError('Forbidden', `container cannot be connected to network ${network.name}: it is not a bridge`);
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
}

/** The names that containers of the same network find it by. */
export function namesOf(owner: EndpointOwner, aliases: readonly string[]): readonly string[] {
  const names = [owner.containerName, ...aliases, shortId(owner.containerId), owner.hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/**
 * The endpoint that the default route and published ports use: the first by network name (as Docker without gateway
 * priorities) among those that lead out.
 */
export function gatewayEndpoint(endpoints: readonly Endpoint[]): Endpoint | undefined {
  const leadingOut = endpoints.filter(({ ipv4Gateway }) => ipv4Gateway !== '');
  return leadingOut.toSorted((one, other) => (one.networkName < other.networkName ? -1 : 1))[0];
}

/** The first of eth0, eth1, ... that is free. */
export function nextInterfaceName(endpoints: readonly Pick<Endpoint, 'interfaceName'>[]): string {
  const taken = new Set(endpoints.map(({ interfaceName }) => interfaceName));
  for (let number = 0; ; number += 1) if (!taken.has(`eth${String(number)}`)) return `eth${String(number)}`;
}

function prefixLength(subnet: string): number {
  return required(parsePrefix(subnet), 'subnet').length;
}
