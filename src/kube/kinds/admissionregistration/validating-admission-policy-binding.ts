import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { selectorText, unset } from '../../printing/labels.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setMatchDefaults } from './webhook-defaults.ts';

export const validatingAdmissionPolicyBinding = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('PolicyName', 'The policy that is put to use.', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', 'Its parameters.', parametersText),
    ageColumn,
  ],
  generationOf: ['spec'],
  setDefaults,
});

function parametersText({ spec }: ValidatingAdmissionPolicyBinding): string {
  const { name = '', namespace = '', selector } = spec?.paramRef ?? {};
  if (name !== '') return `${namespace === '' ? '*' : namespace}/${name}`;
  return selector === undefined ? unset : selectorText(selector);
}

function setDefaults({ spec }: ValidatingAdmissionPolicyBinding): void {
  if (spec?.matchResources !== undefined) setMatchDefaults(spec.matchResources);
}
