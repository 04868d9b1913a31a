import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none, shortList } from '../../printing/labels.ts';
import type { EndpointSubset, Endpoints, EndpointAddress, EndpointPort } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';
import { addressFaults, specialAddressFaults } from '../../validation/addresses.ts';
import { invalids, required } from '../../validation/faults.ts';
import { labelFaults, portFaults, qualifiedNameFaults, subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { protocols } from '../../validation/pod/containers.ts';
import { oneOfFaults } from '../../validation/values.ts';

const shownMost = 3;

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  createsOnUpdate: true,
  shortNames: ['ep'],
  columns: [
    nameColumn,
    text('Endpoints', 'Addresses and ports.', ({ subsets }) =>
      shortList((subsets ?? []).flatMap(placesOf), shownMost, none),
    ),
    ageColumn,
  ],
  setDefaults,
  validate,
});

function placesOf({ addresses = [], ports = [] }: EndpointSubset): readonly string[] {
  const hosts = addresses.map(({ ip = '' }) => ip);
  if (ports.length === 0) return hosts;
  return ports.flatMap(({ port = 0 }) =>
    hosts.map((host) => (host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`)),
  );
}

function setDefaults({ subsets }: Endpoints): void {
  for (const port of (subsets ?? []).flatMap(({ ports }) => ports ?? [])) port.protocol ||= 'TCP';
}

function* validate({ subsets = [] }: Endpoints): Faults {
  for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const at = `subsets[${String(index)}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      yield required(at, 'must specify `addresses` or `notReadyAddresses`');
    for (const [field, list] of Object.entries({ addresses, notReadyAddresses }))
      for (const [one, address] of list.entries()) yield* placeFaults(address, `${at}.${field}[${String(one)}]`);
    for (const [one, port] of ports.entries())
      yield* portEntryFaults(port, ports.length > 1, `${at}.ports[${String(one)}]`);
  }
}

function* placeFaults({ ip = '', hostname = '', nodeName }: EndpointAddress, path: string): Faults {
  yield* addressFaults(ip, `${path}.ip`);
  if (hostname !== '') yield* invalids(`${path}.hostname`, hostname, labelFaults(hostname));
  if (nodeName !== undefined) yield* invalids(`${path}.nodeName`, nodeName, subdomainFaults(nodeName));
  yield* specialAddressFaults(ip, `${path}.ip`);
}

function* portEntryFaults(
  { name = '', port = 0, protocol, appProtocol }: EndpointPort,
  isNamed: boolean,
  path: string,
): Faults {
  if (isNamed && name === '') yield required(`${path}.name`);
  else if (name !== '') yield* invalids(`${path}.name`, name, labelFaults(name));
  yield* invalids(`${path}.port`, port, portFaults(port));
  yield* oneOfFaults(`${path}.protocol`, protocol, protocols);
  if (appProtocol !== undefined) yield* invalids(`${path}.appProtocol`, appProtocol, qualifiedNameFaults(appProtocol));
}
