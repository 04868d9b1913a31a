import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { FlowSchema } from '../../types/gen/flowcontrol-v1.ts';
import { defineKind } from '../define-kind.ts';

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
});

function setDefaults({ spec }: FlowSchema): void {
  if (spec !== undefined) spec.matchingPrecedence ||= 1000;
}
