import type { Network, Subnet } from './networks.ts';

/** What is durable of a network: all but its endpoints. */
export type NetworkDefinition = Omit<Network, 'endpoints'>;

/** Name of Docker's network that containers join when they name none. */
export const defaultNetworkName = 'bridge';

const predefinedNames: ReadonlySet<string> = new Set([defaultNetworkName, 'host', 'none', 'default']);

export function isPredefined(network: Pick<NetworkDefinition, 'name'>): boolean {
  return predefinedNames.has(network.name);
}

/** Driver option of a bridge: `false` for one whose containers are told names by somebody else. */
export const namesOption = 'com.slipway.network.names';

/** Whether its containers find each other by name: on every network that a user made, unless it says otherwise. */
export function hasNames(network: Pick<NetworkDefinition, 'name' | 'driver' | 'options'>): boolean {
  return hasEndpoints(network) && network.name !== defaultNetworkName && network.options[namesOption] !== 'false';
}

/** Whether containers can be on it with interfaces of their own. */
export function hasEndpoints({ driver }: Pick<NetworkDefinition, 'driver'>): boolean {
  return driver !== 'host' && driver !== 'none';
}

export function ipv4Subnet(network: Pick<NetworkDefinition, 'subnets'>): Subnet | undefined {
  return network.subnets.find(({ subnet }) => !subnet.includes(':'));
}

export function ipv6Subnet(network: Pick<NetworkDefinition, 'subnets'>): Subnet | undefined {
  return network.subnets.find(({ subnet }) => subnet.includes(':'));
}

/** Checks the bytes of a definition file: the fields that the rest relies on have the right types. */
export function isNetworkDefinition(value: unknown): value is NetworkDefinition {
  if (typeof value !== 'object' || value === null) return false;
  const {
    id,
    name,
    driver,
    createdAtMs,
    subnets,
    internal,
    attachable = false,
    enableIPv6,
    labels,
    options,
    bridgeName,
  } = value as Partial<Record<keyof NetworkDefinition, unknown>>;
  return (
    typeof id === 'string' &&
    /^[0-9a-f]{64}$/.test(id) &&
    [name, bridgeName].every((text) => typeof text === 'string') &&
    ['bridge', 'macvlan', 'ipvlan', 'host', 'none'].includes(driver as string) &&
    typeof createdAtMs === 'number' &&
    [internal, attachable, enableIPv6].every((flag) => typeof flag === 'boolean') &&
    Array.isArray(subnets) &&
    subnets.every(isSubnet) &&
    [labels, options].every((record) => isTexts(record))
  );
}

function isSubnet(value: unknown): value is Subnet {
  if (typeof value !== 'object' || value === null) return false;
  const { subnet, gateway, ipRange, auxAddresses } = value as Partial<Record<keyof Subnet, unknown>>;
  return (
    typeof subnet === 'string' &&
    typeof gateway === 'string' &&
    (ipRange === undefined || typeof ipRange === 'string') &&
    (auxAddresses === undefined || isTexts(auxAddresses))
  );
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
