import { StatusError } from '#base/errors.ts';

import type { NameZone } from './dns/answer.ts';
import { defaultNetworkName, hasNames, type NetworkDefinition } from './network-definition.ts';
import type { Endpoint, NameLink, Network } from './networks.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/** Networks and sandboxes in memory, with the questions that are asked of them. No I/O. */
export class NetworkState {
  readonly definitions = new Map<string, NetworkDefinition>();
  readonly records = new Map<string, SandboxRecord>();
  readonly #zones = new Map<string, Zone>();

  /** By name, ID, or a prefix of the ID that no other has. */
  find(name: string): NetworkDefinition | undefined {
    const all = [...this.definitions.values()];
    const exact = this.definitions.get(name) ?? all.find((network) => network.name === name);
    if (exact !== undefined || !/^[0-9a-f]{1,63}$/.test(name)) return exact;
    const matches = all.filter(({ id }) => id.startsWith(name));
    if (matches.length < 2) return matches[0];
    const message = `network ${name} is ambiguous (${String(matches.length)} matches found on ID prefix)`;
    throw new StatusError('InvalidArgument', message);
  }

  get(name: string): NetworkDefinition {
    const found = this.find(name);
    if (found === undefined) throw new StatusError('NotFound', `network ${name} not found`);
    return found;
  }

  asNetwork(definition: NetworkDefinition): Network {
    return { ...definition, endpoints: this.endpointsOf(definition.id) };
  }

  endpointsOf(networkId: string): readonly Endpoint[] {
    return Array.from(this.records.values(), ({ sandbox }) => sandbox.endpoints)
      .flat()
      .filter((endpoint) => endpoint.networkId === networkId);
  }

  usedAddresses(networkId: string): ReadonlySet<string> {
    return new Set(this.endpointsOf(networkId).flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address]));
  }

  /** Addresses of a running container on the default bridge. */
  defaultAddresses(containerId: string): readonly string[] {
    const endpoints = this.records.get(containerId)?.sandbox.endpoints ?? [];
    return endpoints
      .filter(({ networkName }) => networkName === defaultNetworkName)
      .flatMap(({ ipv4Address, ipv6Address }) => [ipv4Address, ipv6Address])
      .filter((address) => address !== '');
  }

  set(record: SandboxRecord): void {
    this.records.set(record.sandbox.containerId, record);
    this.#zones.clear();
  }

  delete(containerId: string): void {
    this.records.delete(containerId);
    this.#zones.clear();
  }

  /** What a container can look up: the containers on its networks that have names. */
  zoneFor(containerId: string): NameZone {
    const views = (): readonly View[] =>
      (this.records.get(containerId)?.sandbox.endpoints ?? []).flatMap(({ networkId, links }) => {
        const network = this.definitions.get(networkId);
        return network !== undefined && hasNames(network) ? [{ zone: this.#zone(network), links }] : [];
      });
    return {
      addresses: (name) =>
        firstOf(views(), ({ zone, links }) => {
          const link = links.find(({ alias }) => alias.toLowerCase() === name);
          return zone.addresses.get(link?.name.toLowerCase() ?? name);
        }),
      pointer: (address) => firstOf(views(), ({ zone }) => zone.pointers.get(address)),
    };
  }

  #zone(network: NetworkDefinition): Zone {
    const known = this.#zones.get(network.id);
    if (known !== undefined) return known;
    const made = makeZone(network.name, this.endpointsOf(network.id));
    this.#zones.set(network.id, made);
    return made;
  }
}

/** A network as one container sees it. */
interface View {
  readonly zone: Zone;
  readonly links: readonly NameLink[];
}

interface Zone {
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly pointers: ReadonlyMap<string, string>;
}

/** A name is known alone and with the network's name behind it. */
function makeZone(networkName: string, endpoints: readonly Endpoint[]): Zone {
  const addresses = new Map<string, string[]>();
  const pointers = new Map<string, string>();
  for (const endpoint of endpoints) {
    const own = [endpoint.ipv4Address, endpoint.ipv6Address].filter((address) => address !== '');
    for (const name of endpoint.dnsNames.map((text) => text.toLowerCase())) {
      for (const key of [name, `${name}.${networkName.toLowerCase()}`]) {
        addresses.set(key, [...(addresses.get(key) ?? []), ...own]);
      }
    }
    const full = `${endpoint.containerName}.${networkName}`;
    if (isEncodable(full)) for (const address of own) pointers.set(address, full);
  }
  return { addresses, pointers };
}

/** RFC 1035 section 2.3.4: labels of 1 to 63 bytes, 255 together. */
function isEncodable(name: string): boolean {
  const labels = name.split('.');
  return name.length <= 253 && labels.every((label) => /^[\x21-\x7e]{1,63}$/.test(label));
}

function firstOf<T, R>(list: readonly T[], look: (one: T) => R | undefined): R | undefined {
  for (const one of list) {
    const found = look(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
