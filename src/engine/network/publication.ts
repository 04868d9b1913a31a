import { type GatewayMode, parseBridgeOptions } from './bridge-options.ts';
import { gatewaysOf } from './endpoint-plan.ts';
import type { NetworkDefinition } from './network-definition.ts';
import type { Endpoint, PortRequest, PublishedPort } from './networks.ts';
import type { RulesetElement } from './ruleset.ts';

/** Where a container's published ports lead, by family: each has its own way in. */
export interface PublishTarget {
  readonly ipv4: FamilyTarget | undefined;
  readonly ipv6: FamilyTarget | undefined;
}

interface FamilyTarget {
  readonly endpointId: string;
  readonly address: string;
  readonly mode: GatewayMode;
  /** Interfaces of the host by which the container's own address takes published ports. */
  readonly trusted: readonly string[];
  /** Host address of ports that name none; '' = all. */
  readonly binding: string;
}

/** Ports come in by bridges only: what hangs on an interface of the host has an address on its network anyway. */
export function publishTarget(
  endpoints: readonly Endpoint[],
  networkOf: (id: string) => NetworkDefinition | undefined,
): PublishTarget {
  const { ipv4, ipv6 } = gatewaysOf(endpoints);
  const target = (endpoint: Endpoint | undefined, address: string, family: 4 | 6): FamilyTarget | undefined => {
    const network = endpoint === undefined ? undefined : networkOf(endpoint.networkId);
    if (endpoint === undefined || network?.driver !== 'bridge') return undefined;
    const options = parseBridgeOptions(network.options);
    return {
      endpointId: endpoint.endpointId,
      address,
      mode: family === 4 ? options.gatewayMode4 : options.gatewayMode6,
      trusted: options.trustedInterfaces,
      binding: options.hostBindingIp,
    };
  };
  return { ipv4: target(ipv4, ipv4?.ipv4Address ?? '', 4), ipv6: target(ipv6, ipv6?.ipv6Address ?? '', 6) };
}

/** The address that a relay leads to. */
export function relayAddress({ ipv4, ipv6 }: PublishTarget): string | undefined {
  return ipv4?.address ?? ipv6?.address;
}

/**
 * Where a port is published: at addresses of the host, and, where a network is routed, at the container's own address only.
 * A host address of a family that the container has not is served by a relay. `defaultBinding`: for ports and networks that
 * name no address.
 */
export function placesOf(
  { hostIp, containerPort, protocol }: Pick<PortRequest, 'hostIp' | 'containerPort' | 'protocol'>,
  target: PublishTarget,
  defaultBinding: string,
): { readonly held: readonly string[]; readonly direct: readonly PublishedPort[] } {
  const wanted = hostIp || (target.ipv4 ?? target.ipv6)?.binding || defaultBinding;
  const held: string[] = [];
  const direct: PublishedPort[] = [];
  for (const address of wanted === '' ? ['0.0.0.0', '::'] : [wanted]) {
    const isIpv6 = address.includes(':');
    const own = isIpv6 ? target.ipv6 : target.ipv4;
    const used = own ?? target.ipv4 ?? target.ipv6;
    if (used === undefined) continue;
    if (used.mode !== 'routed') held.push(address);
    else if (own !== undefined)
      direct.push({ containerPort, protocol, hostIp: isIpv6 ? '::' : '0.0.0.0', hostPort: 0 });
  }
  return { held, direct };
}

/** A port of a family that the container has not is a relay's, and none of the kernel's. */
export function portElements(port: PublishedPort, target: PublishTarget): readonly RulesetElement[] {
  const isIpv6 = port.hostIp.includes(':');
  const own = isIpv6 ? target.ipv6 : target.ipv4;
  if (own === undefined) return [];
  const suffix = isIpv6 ? '6' : '';
  const inside = [own.address, port.protocol, port.containerPort];
  if (port.hostPort === 0) return [{ set: `direct${suffix}`, key: inside }];
  const key = [port.protocol, port.hostPort];
  const data = [own.address, port.containerPort];
  const everywhere = ['0.0.0.0', '::'].includes(port.hostIp);
  return [
    everywhere
      ? { set: `published${suffix}`, key, data }
      : { set: `published${suffix}_on`, key: [port.hostIp, ...key], data },
    ...own.trusted.map((name): RulesetElement => ({ set: `trusted${suffix}`, key: [name, ...inside] })),
  ];
}
