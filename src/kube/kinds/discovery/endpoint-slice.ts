import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { shortList, unset } from '../../printing/labels.ts';
import type { EndpointSlice } from '../../types/gen/discovery-v1.ts';
import { defineKind } from '../define-kind.ts';

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
});

function setDefaults({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    port.name ??= '';
    port.protocol ??= 'TCP';
  }
}
