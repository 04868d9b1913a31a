import type { Column } from '../../kind.ts';
import { age, count, nameColumn, text, wide } from '../../printing/columns.ts';
import type { Event } from '../../types/gen/core-v1.ts';
import { pathSegmentFaults } from '../../validation/names.ts';
import { defineKind } from '../define-kind.ts';
import { invalid } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';

/** Columns of events, of core and of events.k8s.io alike. */
export const eventColumns: readonly Column<Event>[] = [
  text('Last Seen', 'Time since it happened last.', lastSeen),
  text('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  text('Reason', 'Why, in one word.', ({ reason }) => reason ?? ''),
  text('Object', 'What it happened to.', ({ involvedObject: { kind = '', name = '' } = {} }) =>
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
  ),
  wide(text('Subobject', 'The part that it happened to.', ({ involvedObject }) => involvedObject?.fieldPath ?? '')),
  wide(text('Source', 'Who says so.', sourceText)),
  text('Message', 'What happened.', ({ message }) => (message ?? '').trim()),
  wide(text('First Seen', 'Time since it happened first.', firstSeen)),
  wide(count('Count', 'How often it happened.', ({ series, count: times }) => series?.count ?? (times || 1))),
  wide(nameColumn),
];

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  createsOnUpdate: true,
  shortNames: ['ev'],
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => (source?.component || reportingComponent) ?? '',
    type: ({ type }) => type ?? '',
  },
  nameRule: pathSegmentFaults,
  validate,
});

function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return age(firstTimestamp ?? eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return age(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp === undefined ? firstSeen(event, nowMs) : age(event.lastTimestamp, nowMs);
}

function sourceText({ source, reportingComponent = '', reportingInstance = '' }: Event): string {
  const instance = (source?.host ?? '') || reportingInstance;
  return [(source?.component ?? '') || reportingComponent, ...(instance === '' ? [] : [instance])].join(', ');
}

function* validate({ metadata, involvedObject }: Event): Faults {
  const { namespace = '' } = involvedObject ?? {};
  const isOfCluster = namespace === '' && ['', 'default', 'kube-system'].includes(metadata.namespace ?? '');
  if (!isOfCluster && namespace !== metadata.namespace)
    yield invalid('involvedObject.namespace', namespace, 'does not match event.namespace');
}
