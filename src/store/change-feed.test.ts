import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bytes, never, reason } from '#kit/store-suite/driver.ts';

import { ChangeFeed, type FeedOptions } from './change-feed.ts';
import type { Change } from './store.ts';

const base = 10n;

test('changes that come before a woken watcher has its turn are not passed over', async () => {
  using feed = feedOf();
  const changes = feed.watch('/p/', { since: base }, never);
  await changes.next();
  const waiting = changes.next();
  feed.append([put('/p/a', 11n)], 11n);
  feed.append([put('/p/b', 12n)], 12n);
  assert.equal((await waiting).value?.key, '/p/a');
  assert.equal((await changes.next()).value?.key, '/p/b');
});

test('changes of one revision are never torn apart, however many they are', async () => {
  using feed = feedOf();
  const many = Array.from({ length: 300 }, (_, index) => put(`/p/${String(index)}`, 11n));
  feed.append([...many, put('/p/last', 12n)], 12n);
  const seen = [];
  for await (const change of feed.watch('/p/', { since: base }, never)) {
    if (change.type === 'progress') break;
    seen.push(change.key);
  }
  assert.deepEqual(seen, [...many.map(({ key }) => key), '/p/last']);
});

test('what is dropped from memory is told, and asked of the history once', async () => {
  const dropped: string[] = [];
  const asked: bigint[] = [];
  using feed = feedOf({
    bounds: { bytesMost: 15 },
    onDrop: ({ key }) => dropped.push(key),
    history: async function* (_prefix, since) {
      asked.push(since);
      yield await Promise.resolve({ changes: [put('/p/1', 11n), put('/p/2', 12n)], reached: 12n });
    },
  });
  for (let index = 1; index <= 5; index += 1)
    feed.append([put(`/p/${String(index)}`, base + BigInt(index))], base + BigInt(index));
  assert.deepEqual(dropped, ['/p/1', '/p/2']);
  const seen = [];
  for await (const change of feed.watch('/p/', { since: base }, never)) {
    if (change.type === 'progress') break;
    seen.push(change.key);
  }
  assert.deepEqual(seen, ['/p/1', '/p/2', '/p/3', '/p/4', '/p/5']);
  assert.deepEqual(asked, [base]);
});

test('a restart sends those who wait to the history, from where they were', async () => {
  const asked: bigint[] = [];
  using feed = feedOf({
    history: async function* (_prefix, since) {
      asked.push(since);
      yield await Promise.resolve({ changes: [put('/p/missed', 15n)], reached: 20n });
    },
  });
  const changes = feed.watch('/p/', { since: base }, never);
  await changes.next();
  feed.append([put('/q/other', 12n)], 12n);
  const waiting = changes.next();
  feed.restart(20n);
  assert.equal((await waiting).value?.key, '/p/missed');
  assert.deepEqual(asked, [12n]);
});

test('an error of the history, and one of the feed, end the watch', async () => {
  using feed = feedOf();
  await assert.rejects(feed.watch('/p/', { since: base - 1n }, never).next(), /no history/);
  const changes = feed.watch('/p/', { since: base }, never);
  await changes.next();
  const waiting = changes.next();
  feed.fail(new Error('broken'));
  await assert.rejects(waiting, /broken/);
  await assert.rejects(feed.watch('/p/', { since: base }, never).next(), /broken/);
});

test('progress waits for a revision that is known to be there', async () => {
  using feed = feedOf();
  const changes = feed.watch('/p/', { since: base, known: 12n }, never);
  const first = changes.next();
  feed.append([put('/q/a', 11n)], 11n);
  feed.append([put('/q/b', 12n)], 12n);
  const { value } = await first;
  assert.deepEqual([value?.type, value?.revision], ['progress', 12n]);
});

test('progress to a revision that somebody waits for is told at once', async () => {
  using feed = feedOf();
  const changes = feed.watch('/p/', { since: base }, never);
  await changes.next();
  const later = changes.next();
  feed.expect(12n);
  feed.append([put('/q/a', 11n)], 11n);
  feed.append([put('/q/b', 13n)], 13n);
  assert.equal((await later).value?.revision, 13n);
  feed.append([put('/q/a', 14n)], 14n);
  const now = changes.next();
  feed.expect(14n);
  assert.equal((await now).value?.revision, 14n);
});

test('a watch from before a compaction is refused, one that runs goes on', async () => {
  using feed = feedOf();
  const changes = feed.watch('/p/', { since: base }, never);
  await changes.next();
  feed.append([put('/p/a', 11n)], 11n);
  feed.compact(11n);
  feed.compact(3n);
  assert.equal((await changes.next()).value?.key, '/p/a');
  await assert.rejects(feed.watch('/p/', { since: base }, never).next(), reason('Expired'));
});

function feedOf(options: Partial<FeedOptions> = {}): ChangeFeed {
  return new ChangeFeed({
    revision: base,
    history: () => {
      throw new Error('no history');
    },
    ...options,
  });
}

function put(key: string, revision: bigint): Change {
  return { type: 'put', key, value: bytes('v'), before: undefined, revision };
}
