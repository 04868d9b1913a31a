import { nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Builder, CacheEntry } from '#engine/build/builder.ts';
import type { Encodable } from '#formats/protobuf/message.ts';

import { cacheEntryType } from '../build/cache-entry-body.ts';
import { type GrpcMethods, streaming, unary } from './grpc/serve-grpc.ts';
import { timeOf } from './messages/time-of.ts';
import * as messages from './messages/control-messages.ts';

const service = '/moby.buildkit.v1.Control';
const nsPerMs = 1_000_000n;

/** What a filter can ask for. */
const fields: Readonly<Record<string, (entry: CacheEntry) => string>> = {
  id: ({ id }) => id,
  type: cacheEntryType,
  description: ({ description }) => description,
  inuse: ({ inUse }) => String(inUse),
  shared: ({ shared }) => String(shared),
  private: ({ shared }) => String(!shared),
};

/** The build cache as `docker buildx du` and `prune` ask for it. */
export function cacheMethods(builder: Builder): GrpcMethods {
  return {
    [`${service}/DiskUsage`]: unary(
      messages.diskUsageRequest,
      messages.diskUsageResponse,
      async (request, _, signal) => {
        const passes = filterOf(request.filter, request.ageLimit);
        return { record: (await builder.cacheEntries(signal)).filter(passes).map(usageOf) };
      },
    ),
    [`${service}/Prune`]: streaming(messages.pruneRequest, messages.usageRecord, async (request, send, signal) => {
      const passes = filterOf(request.filter, request.keepDuration);
      const before = new Map((await builder.cacheEntries(signal)).map((entry) => [entry.id, entry]));
      const options = {
        only: (entry: CacheEntry) => (request.all || !entry.shared) && passes(entry),
        reservedBytes: Number(request.reservedSpace),
        maxUsedBytes: Number(request.maxUsedSpace),
        minFreeBytes: Number(request.minFreeSpace),
      };
      for (const id of (await builder.pruneCache(options, signal)).removed) {
        const entry = before.get(id);
        if (entry !== undefined) await send(usageOf(entry));
      }
    }),
  };
}

function usageOf(entry: CacheEntry): Encodable<typeof messages.usageRecord> {
  return {
    id: entry.id,
    mutable: entry.kind === 'mount',
    inUse: entry.inUse,
    size: BigInt(entry.sizeBytes),
    createdAt: timeOf(entry.createdAtMs),
    lastUsedAt: timeOf(entry.usedAtMs),
    usageCount: BigInt(entry.uses),
    description: entry.description,
    recordType: cacheEntryType(entry),
    shared: entry.shared,
    parents: entry.parents,
  };
}

/**
 * containerd's filters: one expression passes, all its parts `field==value`, `field!=value`, `field~=pattern` at once, or a
 * field alone. `unusedNs`: not used for as long. Throws InvalidArgument.
 */
function filterOf(expressions: readonly string[], unusedNs: bigint): (entry: CacheEntry) => boolean {
  // Without filters buildx sends an empty one.
  const wanted = expressions
    .filter((expression) => expression !== '')
    .map((expression) => expression.split(',').map(partOf));
  const beforeMs = unusedNs === 0n ? Infinity : nowMs() - Number(unusedNs / nsPerMs);
  return (entry) =>
    entry.usedAtMs <= beforeMs && (wanted.length === 0 || wanted.some((parts) => parts.every((part) => part(entry))));
}

function partOf(text: string): (entry: CacheEntry) => boolean {
  const [, name = '', operator = '', value = ''] = /^([a-z]+)(?:(==|!=|~=)(.*))?$/.exec(text) ?? [];
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined)
    throw new StatusError(
      'InvalidArgument',
      `Cannot filter the build cache by "${text}": want one of ${Object.keys(fields).join(', ')} with ==, != or ~=`,
    );
  if (operator === '') return (entry) => field(entry) === 'true';
  if (operator === '!=') return (entry) => field(entry) !== value;
  // Patterns are taken as text: a client's expression could take forever.
  return (entry) => (operator === '~=' ? field(entry).includes(value) : field(entry) === value);
}
