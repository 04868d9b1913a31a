import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { Ingress } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';
import { ingressFaults } from './ingress-rules.ts';

const hostsMost = 3;

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  columns: [
    nameColumn,
    text('Class', 'Class of the controller that serves it.', ({ spec }) => spec?.ingressClassName ?? none),
    text('Hosts', 'Names that it answers to.', hostsText),
    text('Address', 'Where it is served.', addressText),
    text('Ports', 'Ports that are open.', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  initialStatus: { loadBalancer: {} },
  generationOf: ['spec'],
  validate: ingressFaults,
});

function hostsText({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts = rules.map(({ host = '' }) => host).filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, hostsMost).join(',');
  return rules.length > hostsMost && hosts.length >= hostsMost
    ? `${shown} + ${String(rules.length - hostsMost)} more...`
    : shown;
}

function addressText({ status }: Ingress): string {
  const places = (status?.loadBalancer?.ingress ?? []).map(({ ip = '', hostname = '' }) => ip || hostname);
  return [...new Set(places)]
    .filter((one) => one !== '')
    .toSorted()
    .join(',');
}
