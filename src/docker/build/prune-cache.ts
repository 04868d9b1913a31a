import { nowNs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { CacheEntry } from '#engine/build/builder.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import { type Filters, parseFilters } from '../http/filters.ts';
import type { Query } from '../http/query.ts';
import { json, type Reply } from '../http/reply.ts';
import { parsePointInTime } from '../text/timestamp.ts';
import { cacheEntryType } from './cache-entry-body.ts';

const known = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private', 'until'];

/**
 * POST /build/prune. Without `all` what images have as well stays, since that frees nothing. Throws InvalidArgument for
 * filters that Docker does not know, or with several values.
 */
export async function pruneCache({ engine }: Context, call: Call, signal: AbortSignal): Promise<Reply> {
  const { query } = call;
  const filters = parseFilters(query, known);
  const passes = filterOf(filters);
  const all = query.flag('all');
  const options = {
    only: (entry: CacheEntry) => (all || !entry.shared) && passes(entry),
    reservedBytes: bytes(query, 'reserved-space') || bytes(query, 'keep-storage'),
    maxUsedBytes: bytes(query, 'max-used-space'),
    minFreeBytes: bytes(query, 'min-free-space'),
  };
  const { removed, freedBytes } = await engine.builder.pruneCache(options, signal);
  return json({ CachesDeleted: removed, SpaceReclaimed: freedBytes });
}

function filterOf(filters: Filters): (entry: CacheEntry) => boolean {
  const several = known.find((name) => filters.values(name).length > 1);
  if (several !== undefined)
    throw new StatusError('InvalidArgument', `more than one value was given for the "${several}" filter`);
  const until = filters.values('until')[0];
  const beforeMs = until === undefined ? Infinity : Number(parsePointInTime(until, nowNs()) / 1_000_000n);
  const is = (name: string, value: boolean): boolean => {
    // BuildKit's filters ask whether a word is there when it has no value.
    const wanted = filters.values(name)[0] === '' ? true : filters.flag(name);
    return wanted === undefined || wanted === value;
  };
  return (entry) =>
    entry.usedAtMs < beforeMs &&
    filters.any('id', (id) => entry.id.startsWith(id)) &&
    filters.any('parent', (id) => entry.parents.includes(id)) &&
    filters.equals('type', cacheEntryType(entry)) &&
    filters.equals('description', entry.description) &&
    is('inuse', entry.inUse) &&
    is('shared', entry.shared) &&
    is('private', !entry.shared);
}

function bytes(query: Query, name: string): number {
  const value = query.integer(name) ?? 0;
  if (value >= 0) return value;
  throw new StatusError('InvalidArgument', `${name} is negative: ${String(value)}`);
}
