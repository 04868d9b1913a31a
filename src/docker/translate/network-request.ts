import { messageOf, reasonOf, StatusError } from '#base/errors.ts';
import type { EndpointRequest, NameLink, Network } from '#engine/network/networks.ts';
import type { Container, ContainerSpec } from '#engine/runtime/container.ts';

import type { Config, EndpointSettings } from './config-fields.ts';
import type { HostConfig } from './host-config-fields.ts';
import { parseContainerPorts, portRequests } from './ports.ts';

export interface NetworkWorld {
  /** Throws NotFound. */
  container(nameOrId: string): Container;
  /** Throws NotFound. */
  network(nameOrId: string): Pick<Network, 'id' | 'name'>;
}

type EndpointsConfig = Readonly<Record<string, EndpointSettings>>;

/** What a container wants of the network: NetworkMode, EndpointsConfig, ports, DNS and hosts together. */
export function networkRequest(
  config: Config,
  host: HostConfig,
  endpoints: EndpointsConfig,
  world: NetworkWorld,
): ContainerSpec['network'] {
  const mode = config.NetworkDisabled === true ? 'none' : host.NetworkMode || 'default';
  const ports = portRequests(config.ExposedPorts ?? {}, host.PortBindings ?? {}, host.PublishAllPorts ?? false);
  const dns = { servers: host.Dns ?? [], search: host.DnsSearch ?? [], options: host.DnsOptions ?? [] };
  const exposed = Object.keys(config.ExposedPorts ?? {}).flatMap((text) =>
    parseContainerPorts(text).map(({ port, protocol }) => ({ containerPort: port, protocol })),
  );
  const rest = {
    ports,
    dns,
    extraHosts: (host.ExtraHosts ?? []).map(checkExtraHost),
    ...(exposed.length > 0 && { exposed }),
  };
  const links = containerLinks(mode, host.Links ?? [], world);
  if (mode === 'none' || mode === 'host') {
    refuseOthers(mode, Object.keys(endpoints));
    return { mode, endpoints: [], ...rest, ports: [] };
  }
  if (mode.startsWith('container:')) {
    refuseOthers(mode, Object.keys(endpoints));
    refuseOwnNetwork(config, host, ports.length);
    return { mode: 'container', shareWith: sharedContainer(mode, world).id, endpoints: [], ...rest, ports: [] };
  }
  const wanted = endpointRequests(mode, config.MacAddress ?? '', endpoints, world);
  return { mode: 'networks', endpoints: wanted, ...rest, ...(links.length > 0 && { links }) };
}

/**
 * Links of the old kind, which are about the default bridge: on networks of the user Docker takes those of the endpoint in
 * their place. Throws Docker's sentences.
 */
function containerLinks(
  mode: string,
  links: readonly string[],
  world: NetworkWorld,
): readonly { readonly containerId: string; readonly alias: string }[] {
  if (links.length === 0) return [];
  if (mode === 'host' || mode.startsWith('container:')) {
    const what = mode === 'host' ? 'host type networking' : 'container type network';
    const message = `conflicting options: ${what} can't be used with links. This would result in undefined behavior`;
    throw new StatusError('InvalidArgument', message);
  }
  if (!['default', 'bridge'].includes(mode)) return [];
  return links.map((text) => {
    const { name, alias } = parseLink(text);
    const { id, spec } = linkedContainer(name, world);
    if (spec.network.mode === 'host') {
      throw new StatusError('InvalidArgument', "conflicting options: host type networking can't be used with links");
    }
    return { containerId: id, alias };
  });
}

function linkedContainer(name: string, world: NetworkWorld): Container {
  try {
    return world.container(name);
  } catch (error) {
    if (reasonOf(error) !== 'NotFound') throw error;
    // Not NotFound: clients would take the image for missing and pull it.
    throw new StatusError('InvalidArgument', `could not get container for ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** `name` or `name:alias`; as inspect shows it, `/name:/self/alias`. */
function parseLink(text: string): NameLink {
  const [name = '', alias = name, ...rest] = text
    .replace(/^\//, '')
    .replace(/:\/.*\//, ':')
    .split(':');
  if (name === '' || alias === '' || rest.length > 0) {
    throw new StatusError('InvalidArgument', `bad format for links: ${text}`);
  }
  return { name, alias };
}

/** One network and the client's wishes for it. */
export function endpointRequest(network: string, settings: EndpointSettings): EndpointRequest {
  const { IPv4Address: ipv4Address = '', IPv6Address: ipv6Address = '', LinkLocalIPs = [] } = settings.IPAMConfig ?? {};
  const links = (settings.Links ?? []).map(parseLink);
  const driverOptions = settings.DriverOpts ?? {};
  return {
    network,
    ...(ipv4Address !== '' && { ipv4Address }),
    ...(ipv6Address !== '' && { ipv6Address }),
    ...((settings.MacAddress ?? '') !== '' && { macAddress: settings.MacAddress }),
    ...(LinkLocalIPs.length > 0 && { linkLocalAddresses: LinkLocalIPs }),
    ...((settings.Aliases ?? []).length > 0 && { aliases: settings.Aliases }),
    ...(links.length > 0 && { links }),
    ...(Object.keys(driverOptions).length > 0 && { driverOptions }),
    ...((settings.GwPriority ?? 0) !== 0 && { gatewayPriority: settings.GwPriority }),
  };
}

/** The container that `container:<name or ID>` names; throws InvalidArgument without a name. */
export function sharedContainer(mode: string, world: NetworkWorld): Container {
  const name = mode.slice('container:'.length);
  if (name === '') throw new StatusError('InvalidArgument', `invalid mode "${mode}": name a container after the colon`);
  return world.container(name);
}

function endpointRequests(
  mode: string,
  macAddress: string,
  endpoints: EndpointsConfig,
  world: NetworkWorld,
): readonly EndpointRequest[] {
  const named = Object.entries(endpoints).map(([name, settings]) => ({
    network: world.network(name === 'default' ? 'bridge' : name),
    settings,
  }));
  const main = world.network(mode === 'default' ? 'bridge' : mode);
  // Without an explicit mode, the networks that the client names are all there is.
  if (!named.some(({ network }) => network.id === main.id) && (mode !== 'default' || named.length === 0)) {
    named.push({ network: main, settings: {} });
  }
  const sorted = [
    ...named.filter(({ network }) => network.id === main.id),
    ...named.filter(({ network }) => network.id !== main.id),
  ];
  return sorted.map(({ network, settings }, index) => {
    const first = index === 0 && macAddress !== '' && (settings.MacAddress ?? '') === '';
    return endpointRequest(network.name, first ? { ...settings, MacAddress: macAddress } : settings);
  });
}

function refuseOthers(mode: string, names: readonly string[]): void {
  const other = names.find((name) => name !== mode);
  if (other === undefined) return;
  throw new StatusError(
    'InvalidArgument',
    `conflicting options: cannot attach both user-defined and non-user-defined network-modes: "${mode}" and "${other}"`,
  );
}

/** A container in the network of another has no name, ports or resolver of its own. */
function refuseOwnNetwork(config: Config, host: HostConfig, ports: number): void {
  const conflicts = [
    { there: (config.Hostname ?? '') !== '', what: 'hostname' },
    { there: ports > 0, what: 'port publishing' },
    { there: (config.MacAddress ?? '') !== '', what: 'mac-address' },
    { there: [host.Dns, host.DnsSearch, host.DnsOptions].some((list) => (list ?? []).length > 0), what: 'dns' },
    { there: (host.ExtraHosts ?? []).length > 0, what: 'custom host-to-IP mapping' },
  ];
  const conflict = conflicts.find(({ there }) => there);
  if (conflict === undefined) return;
  throw new StatusError('InvalidArgument', `conflicting options: ${conflict.what} and the container type network mode`);
}

function checkExtraHost(entry: string): string {
  const split = entry.search(/[:=]/);
  const name = entry.slice(0, Math.max(split, 0));
  const address = entry.slice(split + 1).replace(/^\[(.*)\]$/, '$1');
  const looksRight = /^[\w.-]+$/.test(name) && (address === 'host-gateway' || /^[\da-fA-F.:]+$/.test(address));
  if (!looksRight) throw new StatusError('InvalidArgument', `bad format for add-host: "${entry}"; write name:address`);
  return `${name}:${address}`;
}
