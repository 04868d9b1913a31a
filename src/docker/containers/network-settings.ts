import type { Endpoint, EndpointRequest, Networks, PublishedPort } from '#engine/network/networks.ts';
import type { Container } from '#engine/runtime/container.ts';

import { originOf } from '../translate/origin.ts';
import { parseContainerPorts } from '../translate/ports.ts';

type PortMap = Readonly<Record<string, readonly object[] | null>>;

/** `NetworkSettings` of inspect. */
export function networkSettings(container: Container, networks: Networks): object {
  const { sandbox } = container;
  const main = sandbox?.endpoints.find((endpoint) => endpoint.networkName === 'bridge');
  return {
    Bridge: '',
    SandboxID: sandbox === undefined ? '' : container.id,
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: portMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main?.endpointId ?? '',
    Gateway: main?.ipv4Gateway ?? '',
    GlobalIPv6Address: main?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: main?.ipv6PrefixLength ?? 0,
    IPAddress: main?.ipv4Address ?? '',
    IPPrefixLen: main?.ipv4PrefixLength ?? 0,
    IPv6Gateway: main?.ipv6Gateway ?? '',
    MacAddress: main?.macAddress ?? '',
    Networks: endpointBodies(container, networks),
  };
}

/** `NetworkSettings.Networks`: one entry per network, with addresses while the container runs. */
export function endpointBodies(container: Container, networks: Networks): Readonly<Record<string, object>> {
  const { mode, endpoints } = container.spec.network;
  const requests: readonly EndpointRequest[] = mode === 'none' || mode === 'host' ? [{ network: mode }] : endpoints;
  const bodies = requests.map((request) => {
    const network = networks.find(request.network);
    const name = network?.name ?? request.network;
    const running = container.sandbox?.endpoints.find(({ networkId }) => networkId === network?.id);
    return [name, endpointBody(request, network?.id ?? '', running)] as const;
  });
  return Object.fromEntries(bodies);
}

/** Ports as `docker ps` lists them: published ones, and those that are only exposed. */
export function listedPorts(container: Container): readonly object[] {
  if (container.sandbox === undefined) return [];
  const published = container.sandbox.ports.map((port) => ({
    IP: shownAddress(port.hostIp),
    PrivatePort: port.containerPort,
    ...(port.hostPort !== 0 && { PublicPort: port.hostPort }),
    Type: port.protocol,
  }));
  const names = new Set(container.sandbox.ports.map(portKey));
  const exposed = exposedPorts(container)
    .filter((key) => !names.has(key))
    .map((key) => ({ PrivatePort: Number(key.split('/', 1)[0]), Type: key.split('/')[1] }));
  return [...exposed, ...published];
}

function portMap(container: Container): PortMap {
  if (container.sandbox === undefined) return {};
  const map = new Map<string, object[] | null>(exposedPorts(container).map((key) => [key, null]));
  for (const port of container.sandbox.ports) {
    const bindings = map.get(portKey(port)) ?? [];
    map.set(portKey(port), [...bindings, { HostIp: shownAddress(port.hostIp), HostPort: shownPort(port.hostPort) }]);
  }
  return Object.fromEntries(map);
}

function exposedPorts(container: Container): readonly string[] {
  const exposed = originOf(container.spec).config.ExposedPorts ?? {};
  return Object.keys(exposed).flatMap((text) =>
    parseContainerPorts(text).map(({ port, protocol }) => `${String(port)}/${protocol}`),
  );
}

function portKey(port: PublishedPort): string {
  return `${String(port.containerPort)}/${port.protocol}`;
}

/** A port that is reached at the container's own address has none on the host. */
function shownPort(hostPort: number): string {
  return hostPort === 0 ? '' : String(hostPort);
}

function shownAddress(hostIp: string): string {
  return hostIp === '' ? '0.0.0.0' : hostIp;
}

function endpointBody(request: EndpointRequest, networkId: string, running: Endpoint | undefined): object {
  const { ipv4Address, ipv6Address, linkLocalAddresses, macAddress = '', aliases = [], links = [] } = request;
  const ipam = {
    ...(ipv4Address !== undefined && { IPv4Address: ipv4Address }),
    ...(ipv6Address !== undefined && { IPv6Address: ipv6Address }),
    ...(linkLocalAddresses !== undefined && { LinkLocalIPs: linkLocalAddresses }),
  };
  return {
    IPAMConfig: Object.keys(ipam).length === 0 ? null : ipam,
    Links: links.length === 0 ? null : links.map(({ name, alias }) => `${name}:${alias}`),
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: running?.macAddress ?? macAddress,
    DriverOpts: request.driverOptions ?? null,
    GwPriority: request.gatewayPriority ?? 0,
    NetworkID: networkId,
    EndpointID: running?.endpointId ?? '',
    Gateway: running?.ipv4Gateway ?? '',
    IPAddress: running?.ipv4Address ?? '',
    IPPrefixLen: running?.ipv4PrefixLength ?? 0,
    IPv6Gateway: running?.ipv6Gateway ?? '',
    GlobalIPv6Address: running?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: running?.ipv6PrefixLength ?? 0,
    DNSNames: running === undefined || running.dnsNames.length === 0 ? null : running.dnsNames,
  };
}
