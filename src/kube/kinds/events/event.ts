import type { Resource } from '../../resource.ts';
import type { Event as CoreEvent } from '../../types/gen/core-v1.ts';
import type { Event } from '../../types/gen/events-v1.ts';
import { invalid, invalids, required } from '../../validation/faults.ts';
import { pathSegmentFaults, qualifiedNameFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { event as coreEvent, eventColumns } from '../core/event.ts';
import { defineKind } from '../define-kind.ts';

/** Events as events.k8s.io names their fields; they are the same objects as those of the core group. */
export const eventsEvent = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  createsOnUpdate: true,
  shortNames: ['ev'],
  columns: eventColumns.map((column) => ({
    ...column,
    cell: (object, nowMs) => column.cell(toStored(object), nowMs),
  })),
  selectableFields: Object.fromEntries(
    Object.entries(coreEvent.selectableFields).map(([field, read]) => [
      field.replace(/^involvedObject\./, 'regarding.').replace('reportingComponent', 'reportingController'),
      (object: Event) => read(toStored(object)),
    ]),
  ),
  nameRule: pathSegmentFaults,
  storedAs: { kind: coreEvent, toStored, fromStored },
  validate,
});

/** Fields of events.k8s.io/v1 and what they are called in core/v1. */
const names = {
  note: 'message',
  regarding: 'involvedObject',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
  reportingController: 'reportingComponent',
} as const satisfies Partial<Record<keyof Event, keyof CoreEvent>>;

const namesBack = Object.fromEntries(Object.entries(names).map(([here, there]) => [there, here]));

function toStored(object: Event): CoreEvent {
  return { ...renamed(object, names), apiVersion: 'v1' };
}

function fromStored(object: Resource): Event {
  return { ...renamed(object, namesBack), apiVersion: 'events.k8s.io/v1' };
}

function renamed(object: Resource, table: Readonly<Record<string, string>>): Resource {
  return Object.fromEntries(
    Object.entries(object).map(([field, value]) => [table[field] ?? field, value]),
  ) as unknown as Resource;
}

const shortMost = 128;
const noteMost = 1024;

/** Stricter than in the core group, where events of old clients come in (core/validation/events.go). */
function* validate(event: Event): Faults {
  const {
    metadata,
    regarding,
    reportingController = '',
    reportingInstance = '',
    action = '',
    reason = '',
    type = '',
  } = event;
  const { namespace = '' } = regarding ?? {};
  if (namespace !== metadata.namespace && !(namespace === '' && metadata.namespace === 'default'))
    yield invalid('involvedObject.namespace', namespace, 'does not match event.namespace');
  if (event.eventTime === undefined) yield required('eventTime');
  if (type !== 'Normal' && type !== 'Warning') yield invalid('type', '', `has invalid value: ${type}`);
  if (reportingController === '') yield required('reportingController');
  else yield* invalids('reportingController', reportingController, qualifiedNameFaults(reportingController));
  for (const [field, text] of Object.entries({ reportingInstance, action, reason })) {
    if (text === '') yield required(field);
    if (text.length > shortMost) yield invalid(field, '', `can have at most ${String(shortMost)} characters`);
  }
  if ((event.note ?? '').length > noteMost)
    yield invalid('message', '', `can have at most ${String(noteMost)} characters`);
}
