import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { PriorityLevelConfiguration } from '../../types/gen/flowcontrol-v1.ts';
import { defineKind } from '../define-kind.ts';

export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  scope: 'Cluster',
  columns: [
    nameColumn,
    text('Type', 'Limited or Exempt.', ({ spec }) => spec?.type ?? ''),
    text('NominalConcurrencyShares', 'Its share of what the server can do.', ({ spec }) =>
      spec?.limited === undefined ? none : (spec.limited.nominalConcurrencyShares ?? 0),
    ),
    text('Queues', 'How many queues it has.', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? none),
    text(
      'HandSize',
      'Queues that a flow may use.',
      ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? none,
    ),
    text(
      'QueueLengthLimit',
      'Requests that a queue holds.',
      ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? none,
    ),
    ageColumn,
  ],
  initialStatus: {},
  generationOf: ['spec'],
  setDefaults,
});

function setDefaults({ spec }: PriorityLevelConfiguration): void {
  if (spec?.exempt !== undefined) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (spec?.limited === undefined) return;
  spec.limited.nominalConcurrencyShares ??= 30;
  spec.limited.lendablePercent ??= 0;
  const queuing = spec.limited.limitResponse?.queuing;
  if (queuing === undefined) return;
  queuing.queues ||= 64;
  queuing.handSize ||= 8;
  queuing.queueLengthLimit ||= 50;
}
