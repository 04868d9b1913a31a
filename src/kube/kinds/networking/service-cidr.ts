import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import type { ServiceCIDR } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';
import { prefixFaults } from '../../validation/addresses.ts';
import { required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { immutable } from '../../validation/object-meta.ts';

export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  scope: 'Cluster',
  columns: [nameColumn, text('CIDRs', 'Blocks of addresses.', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
  initialStatus: {},
  validate,
});

function* validate({ spec = {} }: ServiceCIDR, old: ServiceCIDR | undefined): Faults {
  const cidrs = spec.cidrs ?? [];
  if (cidrs.length === 0) yield required('spec.cidrs', 'at least one CIDR required');
  for (const [index, cidr] of cidrs.entries()) yield* prefixFaults(cidr, `spec.cidrs[${String(index)}]`);
  if (old !== undefined) yield* immutable('spec.cidrs', cidrs, old.spec?.cidrs ?? []);
}
