import { ageColumn, count, nameColumn, text } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { ValidatingAdmissionPolicy } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setMatchDefaults } from './webhook-defaults.ts';

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  scope: 'Cluster',
  columns: [
    nameColumn,
    count('Validations', 'How many rules there are.', ({ spec }) => (spec?.validations ?? []).length),
    text('ParamKind', 'Kind of its parameters.', ({ spec }) =>
      spec?.paramKind === undefined ? unset : `${spec.paramKind.apiVersion ?? ''}/${spec.paramKind.kind ?? ''}`,
    ),
    ageColumn,
  ],
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults({ spec }: ValidatingAdmissionPolicy): void {
  if (spec === undefined) return;
  spec.failurePolicy ??= 'Fail';
  if (spec.matchConstraints !== undefined) setMatchDefaults(spec.matchConstraints);
}
