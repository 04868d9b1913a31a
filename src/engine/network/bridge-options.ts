import { parseAddress } from '#formats/ip-address.ts';

import { invalidOption, isInterfaceName, mtu, readOptions } from './driver-options.ts';
import { namesOption } from './network-definition.ts';

/**
 * How a network and the rest of the world reach each other. `nat`: by published ports of the host. `nat-unprotected`: also
 * any port of a container by its own address, from outside. `routed`: published ports by the container's own address,
 * which it keeps when it speaks to others. `isolated`: not at all; the host has no address on it.
 */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

/** The driver options of a bridge network, read. */
export interface BridgeOptions {
  /** Name of the interface on the host; undefined: derived from the network's ID. */
  readonly bridgeName: string | undefined;
  /** Whether its containers may talk to each other without publishing. */
  readonly icc: boolean;
  /** Whether packets leave the host with the host's address. */
  readonly masquerade: boolean;
  /** Undefined: that of the host's default route. */
  readonly mtu: number | undefined;
  /** Host address for ports published without one; '' = all. */
  readonly hostBindingIp: string;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** The bridge gets no IPv4 address: somebody else is the gateway. */
  readonly inhibitIpv4: boolean;
  /** Interfaces of the host by which published ports are reached at the containers' own addresses. */
  readonly trustedInterfaces: readonly string[];
  /** Address that packets leave with instead of the host's own; '' = the host's. */
  readonly sourceIpv4: string;
  readonly sourceIpv6: string;
  /** What interfaces in containers are called, before their number. */
  readonly interfacePrefix: string;
  /** Whether containers find each other by name. */
  readonly names: boolean;
}

const defaults: BridgeOptions = {
  bridgeName: undefined,
  icc: true,
  masquerade: true,
  mtu: undefined,
  hostBindingIp: '',
  gatewayMode4: 'nat',
  gatewayMode6: 'nat',
  inhibitIpv4: false,
  trustedInterfaces: [],
  sourceIpv4: '',
  sourceIpv6: '',
  interfacePrefix: 'eth',
  names: true,
};

const gatewayModes: readonly string[] = ['nat', 'nat-unprotected', 'routed', 'isolated'];

/** One row per option that we honour. */
const readers = {
  'com.docker.network.bridge.name': (value, name) => ({ bridgeName: interfaceName(value, name) }),
  'com.docker.network.bridge.enable_icc': (value, name) => ({ icc: boolean(value, name) }),
  'com.docker.network.bridge.enable_ip_masquerade': (value, name) => ({ masquerade: boolean(value, name) }),
  'com.docker.network.bridge.host_binding_ipv4': (value, name) => ({ hostBindingIp: binding(value, name) }),
  'com.docker.network.bridge.gateway_mode_ipv4': (value, name) => ({ gatewayMode4: gatewayMode(value, name) }),
  'com.docker.network.bridge.gateway_mode_ipv6': (value, name) => ({ gatewayMode6: gatewayMode(value, name) }),
  'com.docker.network.bridge.inhibit_ipv4': (value, name) => ({ inhibitIpv4: boolean(value, name) }),
  'com.docker.network.bridge.trusted_host_interfaces': (value, name) => ({
    trustedInterfaces: value.split(':').map((one) => interfaceName(one, name)),
  }),
  'com.docker.network.host_ipv4': (value, name) => ({ sourceIpv4: address(4, value, name) }),
  'com.docker.network.host_ipv6': (value, name) => ({ sourceIpv6: address(6, value, name) }),
  'com.docker.network.container_iface_prefix': (value, name) => ({ interfacePrefix: prefix(value, name) }),
  'com.docker.network.driver.mtu': (value, name) => ({ mtu: mtu(value, name) }),
  [namesOption]: (value, name) => ({ names: boolean(value, name) }),
} as const satisfies Readonly<Record<string, (value: string, name: string) => Partial<BridgeOptions>>>;

/** Throws NotSupported for an option that we do not know, InvalidArgument for a value that makes no sense. */
export function parseBridgeOptions(options: Readonly<Record<string, string>>): BridgeOptions {
  return readOptions(readers, options, defaults);
}

function boolean(value: string, name: string): boolean {
  // The spellings that Go's strconv.ParseBool takes.
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalidOption(name, value, 'want true or false');
}

function interfaceName(value: string, name: string): string {
  if (isInterfaceName(value)) return value;
  throw invalidOption(name, value, 'want 1 to 15 letters, digits, "_", "." or "-"');
}

/** Room for a number of three digits behind it. */
function prefix(value: string, name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,11}$/.test(value)) return value;
  throw invalidOption(name, value, 'want 1 to 12 letters, digits, "_", "." or "-"');
}

/** Despite the option's name it may be of IPv6; 0.0.0.0 means all addresses of both families, as in Docker. */
function binding(value: string, name: string): string {
  if (parseAddress(value) === undefined) throw invalidOption(name, value, 'want an IP address');
  return value === '0.0.0.0' ? '' : value;
}

function address(family: 4 | 6, value: string, name: string): string {
  if (parseAddress(value)?.family === family) return value;
  throw invalidOption(name, value, `want an IPv${String(family)} address`);
}

function gatewayMode(value: string, name: string): GatewayMode {
  if (gatewayModes.includes(value)) return value as GatewayMode;
  throw invalidOption(name, value, `want one of ${gatewayModes.join(', ')}`);
}
