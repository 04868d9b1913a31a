import type { Column } from '../../kind.ts';
import { ageColumn, nameColumn, text, wide } from '../../printing/columns.ts';
import { labelsText, none } from '../../printing/labels.ts';
import type { Service, ServicePort } from '../../types/gen/core-v1.ts';
import { defineKind, part } from '../define-kind.ts';
import { setServiceDefaults } from './service-defaults.ts';
import { dns1035Faults } from '../../validation/names.ts';
import { keepAllocated } from './service-addresses.ts';
import { serviceFaults } from './service-rules.ts';

const columns: readonly Column<Service>[] = [
  nameColumn,
  text('Type', 'How the service is reached.', ({ spec }) => spec?.type ?? ''),
  text('Cluster-IP', 'Address inside of the cluster.', ({ spec }) => spec?.clusterIPs?.[0] ?? none),
  text('External-IP', 'Addresses outside of the cluster.', externalAddresses),
  text(
    'Port(s)',
    'Ports, with the ports of nodes that lead to them.',
    ({ spec }) => portsText(spec?.ports ?? []) || none,
  ),
  ageColumn,
  wide(text('Selector', 'Labels of the pods behind the service.', ({ spec }) => labelsText(spec?.selector))),
];

export const service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  createsOnUpdate: true,
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [
    part('proxy', { group: '', version: 'v1', kind: 'ServiceProxyOptions' }, [
      'create',
      'delete',
      'get',
      'patch',
      'update',
    ]),
  ],
  columns,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '',
    'spec.type': ({ spec }) => spec?.type ?? '',
  },
  initialStatus: { loadBalancer: {} },
  setDefaults: setServiceDefaults,
  prepare: keepAllocated,
  nameRule: dns1035Faults,
  validate: serviceFaults,
});

function externalAddresses({ spec = {}, status = {} }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || none;
    case 'LoadBalancer': {
      const balancers = (status.loadBalancer?.ingress ?? []).map(({ ip = '', hostname = '' }) => ip || hostname);
      const known = [...new Set(balancers)].filter((one) => one !== '').toSorted();
      return [...known, ...external].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

function portsText(ports: readonly ServicePort[]): string {
  return ports
    .map(({ port = 0, nodePort = 0, protocol = '' }) =>
      nodePort > 0 ? `${String(port)}:${String(nodePort)}/${protocol}` : `${String(port)}/${protocol}`,
    )
    .join(',');
}
