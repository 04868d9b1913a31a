import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { ServiceCIDR } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';

export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  columns: [nameColumn, text('CIDRs', 'Blocks of addresses.', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
  initialStatus: {},
});
