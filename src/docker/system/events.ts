import type { EngineEvent } from '#engine/events/event-log.ts';

import type { Context } from '../context.ts';
import type { ApiVersion } from '../http/api-version.ts';
import { speaks } from '../http/api-version.ts';
import type { Call } from '../http/call.ts';
import type { Filters } from '../http/filters.ts';
import { parseFilters } from '../http/filters.ts';
import type { StreamReply } from '../http/reply.ts';
import { stream } from '../http/reply.ts';
import { rawNumber } from '../text/raw-number.ts';
import { parseUnixTime } from '../text/timestamp.ts';
import { shownTo } from '../versions/shown-to.ts';
import { eventEncoding } from './event-encoding.ts';

const filterNames = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
];

/** GET /events. */
export function streamEvents({ engine }: Context, call: Call): StreamReply {
  const filters = parseFilters(call.query, filterNames);
  const [since, until] = [call.query.text('since'), call.query.text('until')];
  const subscription = {
    ...(since !== '' && { sinceNs: parseUnixTime(since) }),
    ...(until !== '' && { untilNs: parseUnixTime(until) }),
  };
  const { contentType, encode } = eventEncoding(call.header('accept'));
  return stream({ headAtOnce: true, contentType }, async (output, signal) => {
    for await (const event of engine.events.subscribe(subscription, signal)) {
      if (isTold(event, call.version) && matchesEvent(filters, event))
        await output.write(encode(shownTo(call.version, 'event', eventMessage(event))));
    }
  });
}

/** That an image was made was not told before 1.46, unless it got a name. */
function isTold({ type, action }: EngineEvent, version: ApiVersion): boolean {
  return type !== 'image' || action !== 'create' || speaks(version, 46);
}

/** An event in Docker's words: today's `Type`, `Action`, `Actor`, and for containers and images yesterday's fields too. */
export function eventMessage(event: EngineEvent): object {
  const { type, action, id, attributes, timeNs } = event;
  const legacy = {
    ...((type === 'container' || type === 'image') && { status: action, id }),
    ...(type === 'container' && { from: attributes['image'] ?? '' }),
  };
  return {
    ...legacy,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(timeNs / 1_000_000_000n),
    // A double cannot hold nanoseconds since 1970: written as digits.
    timeNano: rawNumber(timeNs),
  };
}

/** Docker's rules: types and scopes exactly, actions also by what stands before a colon, objects by how ID or name begin. */
export function matchesEvent(filters: Filters, event: EngineEvent): boolean {
  const { type, action, attributes } = event;
  return (
    filters.equals('type', type) &&
    filters.equals('scope', 'local') &&
    filters.any('event', (wanted) => wanted === action || wanted === action.split(':', 1)[0]) &&
    filters.labels('label', attributes) &&
    (['container', 'daemon', 'network', 'volume'] as const).every((kind) => matchesActor(filters, kind, event)) &&
    matchesImage(filters, event) &&
    ['config', 'node', 'plugin', 'secret', 'service'].every((kind) => !filters.has(kind))
  );
}

function matchesActor(filters: Filters, kind: EngineEvent['type'], { type, id, attributes }: EngineEvent): boolean {
  if (!filters.has(kind)) return true;
  const containerOfNetwork = kind === 'container' && type === 'network' ? attributes['container'] : undefined;
  if (type !== kind) return containerOfNetwork !== undefined && filters.equals(kind, containerOfNetwork);
  return filters.any(kind, (wanted) => id.startsWith(wanted) || (attributes['name'] ?? '').startsWith(wanted));
}

/** Images also match by name without tag, and so do the containers made of them. */
function matchesImage(filters: Filters, { type, id, attributes }: EngineEvent): boolean {
  const name = attributes[type === 'image' ? 'name' : 'image'] ?? '';
  const names = [id, name, name.replace(/:[^:/]*$/, '')];
  return filters.any('image', (wanted) => names.includes(wanted));
}
