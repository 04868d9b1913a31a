import { ageColumn, nameColumn, text } from '../../printing/columns.ts';
import { none } from '../../printing/labels.ts';
import type { PriorityLevelConfiguration } from '../../types/gen/flowcontrol-v1.ts';
import { defineKind } from '../define-kind.ts';
import { forbidden, notSupported, required } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';

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
  validate,
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

function* validate({ spec = {} }: PriorityLevelConfiguration): Faults {
  const { type = '', limited, exempt } = spec;
  if (type === 'Exempt') {
    if (limited !== undefined) yield forbidden('spec.limited', 'must be nil if the type is not Limited');
  } else if (type === 'Limited') {
    if (exempt !== undefined) yield forbidden('spec.exempt', 'must be nil if the type is Limited');
    if (limited === undefined) {
      yield required('spec.limited', 'must not be empty when type is Limited');
      return;
    }
    const { limitResponse: { type: response = '', queuing } = {} } = limited;
    if (response === 'Reject' && queuing !== undefined)
      yield forbidden('spec.limited.limitResponse.queuing', 'must be nil if limited.limitResponse.type is not Limited');
    else if (response === 'Queue' && queuing === undefined)
      yield required(
        'spec.limited.limitResponse.queuing',
        'must not be empty if limited.limitResponse.type is Limited',
      );
    else if (response !== 'Reject' && response !== 'Queue')
      yield notSupported('spec.limited.limitResponse.type', response, ['Queue', 'Reject']);
  } else yield notSupported('spec.type', type, ['Exempt', 'Limited']);
}
