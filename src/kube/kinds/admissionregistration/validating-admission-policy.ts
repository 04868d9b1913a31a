import { ageColumn, count, nameColumn, text } from '../../printing/columns.ts';
import { unset } from '../../printing/labels.ts';
import type { ValidatingAdmissionPolicy } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setMatchDefaults } from './webhook-defaults.ts';
import { invalids, required } from '../../validation/faults.ts';
import { qualifiedNameFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults } from '../../validation/values.ts';
import { matchFaults } from './webhook-rules.ts';

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  needsRevision: true,
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
  validate,
});

function setDefaults({ spec }: ValidatingAdmissionPolicy): void {
  if (spec === undefined) return;
  spec.failurePolicy ??= 'Fail';
  if (spec.matchConstraints !== undefined) setMatchDefaults(spec.matchConstraints);
}

/** The shape of a policy; its expressions are compiled where policies are put to use. */
function* validate({ spec = {} }: ValidatingAdmissionPolicy): Faults {
  const { matchConstraints, validations = [], auditAnnotations = [], matchConditions = [] } = spec;
  yield* choiceFaults('spec.failurePolicy', spec.failurePolicy, ['Fail', 'Ignore']);
  if (spec.paramKind !== undefined) {
    if ((spec.paramKind.apiVersion ?? '') === '') yield required('spec.paramKind.apiVersion');
    if ((spec.paramKind.kind ?? '') === '') yield required('spec.paramKind.kind');
  }
  if (matchConstraints === undefined) yield required('spec.matchConstraints');
  else {
    const rules = matchConstraints.resourceRules ?? [];
    if (rules.length === 0) yield required('spec.matchConstraints.resourceRules');
    yield* matchFaults(rules, 'spec.matchConstraints.resourceRules');
    yield* matchFaults(matchConstraints.excludeResourceRules ?? [], 'spec.matchConstraints.excludeResourceRules');
    yield* selectorFaults(matchConstraints.namespaceSelector, 'spec.matchConstraints.namespaceSelector');
    yield* selectorFaults(matchConstraints.objectSelector, 'spec.matchConstraints.objectSelector');
  }
  for (const [index, { name = '', expression = '' }] of matchConditions.entries()) {
    const at = `spec.matchConditions[${String(index)}]`;
    if (name === '') yield required(`${at}.name`);
    else yield* invalids(`${at}.name`, name, qualifiedNameFaults(name));
    if (expression.trim() === '') yield required(`${at}.expression`);
  }
  if (validations.length === 0 && auditAnnotations.length === 0)
    yield required('spec.validations', 'validations or auditAnnotations must contain at least one item');
  for (const [index, { expression = '', reason }] of validations.entries()) {
    const at = `spec.validations[${String(index)}]`;
    if (expression.trim() === '') yield required(`${at}.expression`, 'expression is not specified');
    yield* choiceFaults(`${at}.reason`, reason, ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']);
  }
}
