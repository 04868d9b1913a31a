import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { FlowSchema } from '../../types/gen/flowcontrol-v1.ts';
import { defineKind } from '../define-kind.ts';
import { invalid, invalids, required } from '../../validation/faults.ts';
import { subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { oneOfFaults } from '../../validation/values.ts';

export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('PriorityLevel', 'Level of its requests.', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ''),
    text('MatchingPrecedence', 'Lower ones are asked first.', ({ spec }) => spec?.matchingPrecedence ?? 0),
    text(
      'DistinguisherMethod',
      'What its flows are told apart by.',
      ({ spec }) => spec?.distinguisherMethod?.type ?? none,
    ),
    ageColumn,
    text(
      'MissingPL',
      'Whether its level does not exist.',
      ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    ),
  ],
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults,
  validate,
});

function setDefaults({ spec }: FlowSchema): void {
  if (spec !== undefined) spec.matchingPrecedence ||= 1000;
}

function* validate({ spec = {} }: FlowSchema): Faults {
  const { matchingPrecedence = 0, priorityLevelConfiguration: { name = '' } = {}, distinguisherMethod } = spec;
  if (matchingPrecedence <= 0) yield invalid('spec.matchingPrecedence', matchingPrecedence, 'must be a positive value');
  if (matchingPrecedence > 10_000)
    yield invalid('spec.matchingPrecedence', matchingPrecedence, 'must not be greater than 10000');
  if (distinguisherMethod !== undefined)
    yield* oneOfFaults('spec.distinguisherMethod', distinguisherMethod.type, ['ByNamespace', 'ByUser']);
  if (name === '') yield required('spec.priorityLevelConfiguration.name', 'must reference a priority level');
  else yield* invalids('spec.priorityLevelConfiguration.name', name, subdomainFaults(name));
  for (const [index, { subjects = [] }] of (spec.rules ?? []).entries())
    if (subjects.length === 0)
      yield required(`spec.rules[${String(index)}].subjects`, 'subjects must contain at least one value');
}
