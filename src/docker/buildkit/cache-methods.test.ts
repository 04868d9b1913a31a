import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Builder, CacheEntry, CachePrune } from '#engine/build/builder.ts';
import { decodeMessage } from '#formats/protobuf/decode.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { cacheMethods } from './cache-methods.ts';
import { diskUsageRequest, diskUsageResponse, pruneRequest, usageRecord } from './messages/control-messages.ts';

const never = new AbortController().signal;
const entry = (id: string, fields: Partial<CacheEntry> = {}): CacheEntry => ({
  id,
  kind: 'step',
  description: `RUN ${id}`,
  parents: ['p'],
  sizeBytes: 5,
  createdAtMs: 1_500,
  usedAtMs: 2_500,
  uses: 3,
  inUse: false,
  shared: false,
  ...fields,
});
const entries = [entry('one'), entry('two', { shared: true }), entry('three', { kind: 'mount', usedAtMs: 9e15 })];

/** Builders that only have a cache; `asked` gets what is to be pruned. */
function builderWith(asked: CachePrune[]): Builder {
  const part: Pick<Builder, 'cacheEntries' | 'pruneCache'> = {
    cacheEntries: async () => await Promise.resolve(entries),
    pruneCache: async (options) => {
      asked.push(options);
      const removed = entries.filter((one) => options.only?.(one) === true).map(({ id }) => id);
      return await Promise.resolve({ removed, freedBytes: 0 });
    },
  };
  return part as Builder;
}

async function ask(method: string, request: Uint8Array, asked: CachePrune[] = []): Promise<readonly Uint8Array[]> {
  const replies: Uint8Array[] = [];
  const send = async (reply: Uint8Array): Promise<void> => {
    replies.push(reply);
    await Promise.resolve();
  };
  const messages = (async function* () {
    yield await Promise.resolve(request);
  })();
  const call = { header: () => '', messages, send };
  await cacheMethods(builderWith(asked))[`/moby.buildkit.v1.Control/${method}`]?.(call, never);
  return replies;
}

async function listed(...filter: readonly string[]): Promise<readonly string[]> {
  const [reply] = await ask('DiskUsage', encodeMessage(diskUsageRequest, { filter }));
  assert.ok(reply);
  return decodeMessage(diskUsageResponse, reply).record.map(({ id }) => id);
}

describe('the build cache for buildx', () => {
  test('is listed with all that it knows', async () => {
    const [reply] = await ask('DiskUsage', new Uint8Array());
    assert.ok(reply);
    const [first, second, third] = decodeMessage(diskUsageResponse, reply).record;
    assert.partialDeepStrictEqual(first, {
      id: 'one',
      size: 5n,
      createdAt: { seconds: 1n, nanos: 500_000_000 },
      lastUsedAt: { seconds: 2n, nanos: 500_000_000 },
      usageCount: 3n,
      description: 'RUN one',
      recordType: 'regular',
      parents: ['p'],
    });
    assert.deepEqual([second?.shared, third?.mutable, third?.recordType], [true, true, 'exec.cachemount']);
  });

  for (const [filter, ids] of [
    [[''], ['one', 'two', 'three']],
    [['id~=t'], ['two', 'three']],
    [['id~=t,type==regular'], ['two']],
    [
      ['id==one', 'id==three'],
      ['one', 'three'],
    ],
    [['type!=regular'], ['three']],
    [['shared'], ['two']],
    [['private==true'], ['one', 'three']],
  ] as const)
    test(`filtered by ${filter.join(' or ')}`, async () => {
      assert.deepEqual(await listed(...filter), ids);
    });

  test('is not filtered by what there is not', async () => {
    for (const filter of ['size==5', 'constructor', 'id=~x'])
      await assert.rejects(listed(filter), { reason: 'InvalidArgument' });
  });

  test('goes but for what images have as well, unless all is asked for; what was used lately may stay', async () => {
    const asked: CachePrune[] = [];
    const prune = async (
      request: Parameters<typeof encodeMessage<typeof pruneRequest>>[1],
    ): Promise<readonly string[]> =>
      (await ask('Prune', encodeMessage(pruneRequest, request), asked)).map(
        (reply) => decodeMessage(usageRecord, reply).id,
      );
    assert.deepEqual(await prune({ maxUsedSpace: 7n, filter: [''] }), ['one', 'three']);
    assert.deepEqual(await prune({ all: true }), ['one', 'two', 'three']);
    assert.deepEqual(await prune({ all: true, keepDuration: 3_600_000_000_000n }), ['one', 'two']);
    assert.partialDeepStrictEqual(asked[0], { reservedBytes: 0, maxUsedBytes: 7, minFreeBytes: 0 });
  });
});
