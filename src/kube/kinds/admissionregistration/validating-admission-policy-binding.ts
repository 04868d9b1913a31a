import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { selectorText, unset } from '../../printing/labels.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setMatchDefaults } from './webhook-defaults.ts';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { oneOfFaults } from '../../validation/values.ts';
import { matchFaults } from './webhook-rules.ts';

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  needsRevision: true,
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('PolicyName', 'The policy that is put to use.', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', 'Its parameters.', parametersText),
    ageColumn,
  ],
  generationOf: ['spec'],
  setDefaults,
  validate,
});

function parametersText({ spec }: ValidatingAdmissionPolicyBinding): string {
  const { name = '', namespace = '', selector } = spec?.paramRef ?? {};
  if (name !== '') return `${namespace === '' ? '*' : namespace}/${name}`;
  return selector === undefined ? unset : selectorText(selector);
}

function setDefaults({ spec }: ValidatingAdmissionPolicyBinding): void {
  if (spec?.matchResources !== undefined) setMatchDefaults(spec.matchResources);
}

const actions = ['Audit', 'Deny', 'Warn'];

function* validate({ spec = {} }: ValidatingAdmissionPolicyBinding): Faults {
  const { policyName = '', paramRef, validationActions = [], matchResources } = spec;
  if (policyName === '') yield required('spec.policyName');
  else yield* invalids('spec.policyName', policyName, subdomainFaults(policyName));
  if (paramRef !== undefined) {
    const { name = '', selector, parameterNotFoundAction: action } = paramRef;
    if (name === '' && selector === undefined)
      yield required('spec.paramRef', 'one of name or selector must be specified');
    if (name !== '' && selector !== undefined)
      yield forbidden('spec.paramRef.name', 'name and selector are mutually exclusive');
    yield* selectorFaults(selector, 'spec.paramRef.selector');
    yield* oneOfFaults('spec.paramRef.parameterNotFoundAction', action, ['Allow', 'Deny']);
  }
  yield* matchFaults(matchResources?.resourceRules ?? [], 'spec.matchResources.resourceRules');
  if (validationActions.length === 0)
    yield required('spec.validationActions', 'at least one validation action is required');
  for (const action of validationActions)
    if (!actions.includes(action)) yield notSupported('spec.validationActions', action, actions);
  const repeated = validationActions.find((action, index) => validationActions.indexOf(action) !== index);
  if (repeated !== undefined) yield duplicate('spec.validationActions', repeated);
  if (validationActions.includes('Deny') && validationActions.includes('Warn'))
    yield invalid(
      'spec.validationActions',
      validationActions,
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    );
}
