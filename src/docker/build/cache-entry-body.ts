import type { CacheEntry } from '#engine/build/builder.ts';

import { nsToIso } from '../text/timestamp.ts';

/** An entry of the build cache as `GET /system/df` has it, with BuildKit's types. */
export function cacheEntryBody(entry: CacheEntry): object {
  return {
    ID: entry.id,
    Parents: entry.parents,
    Type: cacheEntryType(entry),
    Description: entry.description,
    InUse: entry.inUse,
    Shared: entry.shared,
    Size: entry.sizeBytes,
    CreatedAt: isoOf(entry.createdAtMs),
    LastUsedAt: isoOf(entry.usedAtMs),
    UsageCount: entry.uses,
  };
}

export function cacheEntryType({ kind }: CacheEntry): string {
  return kind === 'mount' ? 'exec.cachemount' : 'regular';
}

function isoOf(timeMs: number): string {
  return nsToIso(BigInt(Math.round(timeMs)) * 1_000_000n);
}
