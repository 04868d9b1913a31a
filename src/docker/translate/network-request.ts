import { StatusError } from '#base/errors.ts';
import type { EndpointRequest, Network } from '#engine/network/networks.ts';
import type { Container, ContainerSpec } from '#engine/runtime/container.ts';

import type { Config, EndpointSettings } from './config-fields.ts';
import { endpointFields } from './config-fields.ts';
import { checkRefusals } from './field.ts';
import type { HostConfig } from './host-config-fields.ts';
import { portRequests } from './ports.ts';

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
  const rest = { ports, dns, extraHosts: (host.ExtraHosts ?? []).map(checkExtraHost) };
  if (mode === 'none' || mode === 'host') {
    refuseOthers(mode, Object.keys(endpoints));
    return { mode, endpoints: [], ...rest, ports: [] };
  }
  if (mode.startsWith('container:')) {
    refuseOthers(mode, Object.keys(endpoints));
    refuseOwnNetwork(config, host, ports.length);
    return { mode: 'container', shareWith: sharedContainer(mode, world).id, endpoints: [], ...rest, ports: [] };
  }
  return { mode: 'networks', endpoints: endpointRequests(mode, config.MacAddress ?? '', endpoints, world), ...rest };
}

/** One network and the client's wishes for it. Throws NotSupported for wishes that we would ignore. */
export function endpointRequest(network: string, settings: EndpointSettings): EndpointRequest {
  checkRefusals(endpointFields, settings, `EndpointsConfig[${network}]`);
  const ipv4Address = settings.IPAMConfig?.IPv4Address ?? '';
  const ipv6Address = settings.IPAMConfig?.IPv6Address ?? '';
  if ((settings.IPAMConfig?.LinkLocalIPs ?? []).length > 0) {
    throw new StatusError('NotSupported', `Cannot honour LinkLocalIPs on network "${network}": leave them away`);
  }
  return {
    network,
    ...(ipv4Address !== '' && { ipv4Address }),
    ...(ipv6Address !== '' && { ipv6Address }),
    ...((settings.MacAddress ?? '') !== '' && { macAddress: settings.MacAddress }),
    ...((settings.Aliases ?? []).length > 0 && { aliases: settings.Aliases }),
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
