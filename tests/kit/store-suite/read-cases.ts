import assert from 'node:assert/strict';

import type { Listing, Store } from '#store/store.ts';

import { bytes, never, reason, text, type Cases } from './driver.ts';
import { revisionOf } from './watching.ts';

export const readCases: Cases = {
  'a list has the prefix in the order of the bytes, in pages': async (t, open) => {
    const store = await open(t);
    const keys = ['/p/a', '/p/a/b', '/p/a-b', '/p/B', '/p/\uffee', '/p/\u{1f600}', '/p/é'];
    for (const key of [...keys, '/q', '/p', '/o/z']) await store.put(key, bytes(key), 0n, {}, never);
    const sorted = ['/p/B', '/p/a', '/p/a-b', '/p/a/b', '/p/é', '/p/\uffee', '/p/\u{1f600}'];
    const all = await store.list('/p/', {}, never);
    assert.deepEqual(show(all), { keys: sorted, hasMore: false, remaining: 0 });
    assert.equal(all.revision, await revisionOf(store));
    const first = await store.list('/p/', { limit: 3 }, never);
    assert.deepEqual(show(first), { keys: sorted.slice(0, 3), hasMore: true, remaining: 4 });
    const second = await store.list('/p/', { limit: 4, after: '/p/a-b' }, never);
    assert.deepEqual(show(second), { keys: sorted.slice(3), hasMore: false, remaining: 0 });
    assert.equal((await store.list('', {}, never)).entries.length, 10);
    assert.deepEqual(show(await store.list('/none/', { limit: 1 }, never)), { keys: [], hasMore: false, remaining: 0 });
  },

  'pages at one revision show one state, whatever is written meanwhile': async (t, open) => {
    const store = await open(t);
    const revisions = new Map<string, bigint>();
    for (const key of ['/p/1', '/p/3', '/p/5', '/p/7'])
      revisions.set(key, await store.put(key, bytes('old'), 0n, {}, never));
    const first = await store.list('/p/', { limit: 1 }, never);
    await store.put('/p/3', bytes('new'), revisions.get('/p/3') ?? 0n, {}, never);
    await store.remove('/p/5', revisions.get('/p/5') ?? 0n, never);
    await store.put('/p/5', bytes('again'), 0n, {}, never);
    await store.remove('/p/7', revisions.get('/p/7') ?? 0n, never);
    await store.put('/p/4', bytes('new'), 0n, {}, never);
    const rest = await store.list('/p/', { after: '/p/1', at: first.revision }, never);
    assert.deepEqual(
      rest.entries.map(({ key, value, revision }) => [key, text(value), revision]),
      ['/p/3', '/p/5', '/p/7'].map((key) => [key, 'old', revisions.get(key)]),
    );
    assert.equal(rest.revision, first.revision);
    const page = await store.list('/p/', { after: '/p/1', at: first.revision, limit: 1 }, never);
    assert.deepEqual(show(page), { keys: ['/p/3'], hasMore: true, remaining: 2 });
    assert.deepEqual(show(await store.list('/p/', {}, never)).keys, ['/p/1', '/p/3', '/p/4', '/p/5']);
  },

  'what was compacted, and what is to come, cannot be read': async (t, open) => {
    const store = await open(t);
    const revision = await putTimes(store, '/p/a', 5);
    await store.compact(revision - 1n, never);
    const kept = await store.list('/p/', { at: revision - 1n }, never);
    assert.deepEqual(
      kept.entries.map((entry) => [text(entry.value), entry.revision]),
      [['3', revision - 1n]],
    );
    await assert.rejects(store.list('/p/', { at: revision - 2n }, never), reason('Expired'));
    await assert.rejects(store.list('/p/', { at: revision + 1n }, never), reason('Timeout'));
    // Once more, and to before, changes nothing.
    await store.compact(revision - 1n, never);
    await store.compact(revision - 3n, never);
    assert.equal(text((await store.get('/p/a', never))?.value), '4');
    await assert.rejects(store.compact(revision + 1n, never), reason('Timeout'));
  },
};

function show({ entries, hasMore, remaining }: Listing): { keys: string[]; hasMore: boolean; remaining: number } {
  return { keys: entries.map(({ key }) => key), hasMore, remaining };
}

/** Writes the values 0, 1, ... and returns the last revision. */
export async function putTimes(store: Store, key: string, times: number): Promise<bigint> {
  let revision = 0n;
  for (let count = 0; count < times; count += 1)
    revision = await store.put(key, bytes(String(count)), revision, {}, never);
  return revision;
}
