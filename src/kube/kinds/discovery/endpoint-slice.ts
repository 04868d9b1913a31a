import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { shortList, unset } from '../../printing/labels.ts';
import type { EndpointSlice, EndpointPort } from '../../types/gen/discovery-v1.ts';
import { defineKind } from '../define-kind.ts';
import { parseAddress } from '#formats/ip-address.ts';
import { specialAddressFaults } from '../../validation/addresses.ts';
import { duplicate, invalid, invalids, required, tooMany } from '../../validation/faults.ts';
import { labelFaults, portFaults, qualifiedNameFaults, subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';
import { protocols } from '../../validation/pod/containers.ts';
import { oneOfFaults } from '../../validation/values.ts';

const shownMost = 3;

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  columns: [
    nameColumn,
    text('AddressType', 'Kind of its addresses.', ({ addressType }) => addressType ?? ''),
    text('Ports', 'Ports of all endpoints.', ({ ports }) =>
      shortList(
        (ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port))),
        shownMost,
        unset,
      ),
    ),
    text('Endpoints', 'Addresses.', ({ endpoints }) =>
      shortList(
        (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
        shownMost,
        unset,
      ),
    ),
    ageColumn,
  ],
  generationOf: ['addressType', 'endpoints', 'ports'],
  setDefaults,
  validate,
});

function setDefaults({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}

const endpointsMost = 1000;
const portsMost = 20_000;
const addressesMost = 100;
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

function* validate({ addressType, endpoints = [], ports = [] }: EndpointSlice, old: EndpointSlice | undefined): Faults {
  yield* oneOfFaults('addressType', addressType, addressTypes);
  if (endpoints.length > endpointsMost) yield tooMany('endpoints', endpoints.length, endpointsMost);
  for (const [index, { addresses = [], hostname, nodeName }] of endpoints.entries()) {
    const at = `endpoints[${String(index)}]`;
    if (addresses.length === 0) yield required(`${at}.addresses`, 'must contain at least 1 address');
    if (addresses.length > addressesMost) yield tooMany(`${at}.addresses`, addresses.length, addressesMost);
    for (const [place, address] of addresses.entries())
      yield* placeFaults(address, addressType ?? '', `${at}.addresses[${String(place)}]`);
    if (hostname !== undefined) yield* invalids(`${at}.hostname`, hostname, labelFaults(hostname));
    if (nodeName !== undefined) yield* invalids(`${at}.nodeName`, nodeName, subdomainFaults(nodeName));
  }
  yield* portListFaults(ports);
  if (old !== undefined) yield* immutable('addressType', addressType, old.addressType);
}

function* placeFaults(address: string, type: string, path: string): Faults {
  if (type === 'FQDN') {
    yield* invalids(path, address, subdomainFaults(address));
    return;
  }
  const parsed = parseAddress(address);
  if (parsed === undefined || (addressTypes.includes(type) && type !== `IPv${String(parsed.family)}`))
    yield invalid(path, address, `must be a valid ${type} address`);
  yield* specialAddressFaults(address, path);
}

function* portListFaults(ports: readonly EndpointPort[]): Faults {
  if (ports.length > portsMost) yield tooMany('ports', ports.length, portsMost);
  const names = new Set<string>();
  for (const [index, { name = '', protocol, port, appProtocol }] of ports.entries()) {
    const at = `ports[${String(index)}]`;
    if (name !== '') yield* invalids(`${at}.name`, name, labelFaults(name));
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    yield* oneOfFaults(`${at}.protocol`, protocol, protocols);
    if (port !== undefined && portFaults(port).length > 0) yield* invalids(`${at}.port`, port, portFaults(port));
    if (appProtocol !== undefined) yield* invalids(`${at}.appProtocol`, appProtocol, qualifiedNameFaults(appProtocol));
  }
}
