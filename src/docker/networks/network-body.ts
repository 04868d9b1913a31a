import type { Endpoint, Network } from '#engine/network/networks.ts';

/** A network as list and inspect show it; only inspect tells its containers. */
export function networkBody(network: Network, withContainers: boolean): object {
  return {
    Name: network.name,
    Id: network.id,
    Created: new Date(network.createdAtMs).toISOString(),
    Scope: 'local',
    Driver: network.driver === 'none' ? 'null' : network.driver,
    EnableIPv4: network.subnets.some(({ subnet }) => !subnet.includes(':')),
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: network.subnets.map(({ subnet, gateway, ipRange, auxAddresses }) => ({
        Subnet: subnet,
        ...(ipRange !== undefined && { IPRange: ipRange }),
        Gateway: gateway,
        ...(auxAddresses !== undefined && { AuxiliaryAddresses: auxAddresses }),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: withContainers
      ? Object.fromEntries(network.endpoints.map((endpoint) => [endpoint.containerId, containerBody(endpoint)]))
      : {},
    Options: network.options,
    Labels: network.labels,
  };
}

function containerBody(endpoint: Endpoint): object {
  return {
    Name: endpoint.containerName,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.macAddress,
    IPv4Address: withPrefix(endpoint.ipv4Address, endpoint.ipv4PrefixLength),
    IPv6Address: withPrefix(endpoint.ipv6Address, endpoint.ipv6PrefixLength),
  };
}

function withPrefix(address: string, prefixLength: number): string {
  return address === '' ? '' : `${address}/${String(prefixLength)}`;
}
