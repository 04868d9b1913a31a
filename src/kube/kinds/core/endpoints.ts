import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none, shortList } from '../../printing/labels.ts';
import type { EndpointSubset, Endpoints } from '../../types/gen/core-v1.ts';
import { defineKind } from '../define-kind.ts';

const shownMost = 3;

export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  columns: [
    nameColumn,
    text('Endpoints', 'Addresses and ports.', ({ subsets }) =>
      shortList((subsets ?? []).flatMap(placesOf), shownMost, none),
    ),
    ageColumn,
  ],
  setDefaults,
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
