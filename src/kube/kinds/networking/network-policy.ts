import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { selectorText } from '../../printing/labels.ts';
import type { NetworkPolicy } from '../../types/gen/networking-v1.ts';
import { defineKind } from '../define-kind.ts';

export const networkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  columns: [
    nameColumn,
    text('Pod-Selector', 'Pods that it is about.', ({ spec }) => selectorText(spec?.podSelector)),
    ageColumn,
  ],
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults(object: NetworkPolicy): void {
  const spec = (object.spec ??= {});
  spec.podSelector ??= {};
  const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
  for (const port of rules.flatMap(({ ports }) => ports ?? [])) port.protocol ??= 'TCP';
  if ((spec.policyTypes ?? []).length > 0) return;
  spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}
