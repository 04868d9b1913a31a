import assert from 'node:assert/strict';

import type { Change } from '#store/store.ts';

import { bytes, never, reason, type Cases } from './driver.ts';
import { putTimes } from './read-cases.ts';
import { changesUntil, nextChange, openWatch, revisionOf, tell } from './watching.ts';

export const watchCases: Cases = {
  'a watch tells of each change of its prefix with what was before': async (t, open) => {
    const store = await open(t);
    const base = await revisionOf(store);
    const { changes, stop } = openWatch(store, '/p/', base);
    const story = async (key: string): Promise<void> => {
      const first = await store.put(key, bytes('1'), 0n, {}, never);
      const second = await store.put(key, bytes('2'), first, {}, never);
      await store.remove(key, second, never);
      await store.put(key, bytes('3'), 0n, {}, never);
    };
    await story('/p/a');
    await story('/q/a');
    await store.put('/p/b', bytes('1'), 0n, {}, never);
    const told = ['put /p/a >1 @1', 'put /p/a 1>2 @2', 'remove /p/a 2>2 @3', 'put /p/a >3 @4', 'put /p/b >1 @9'];
    const live = [];
    for (const _ of told) live.push(tell(await nextChange(changes), base));
    assert.deepEqual(live, told);
    stop();
    // The same again from each revision on, out of the history.
    for (let since = 0n; since <= 9n; since += 1n) {
      const later = await changesUntil(store, '/p/', base + since, base + 9n);
      const wanted = told.filter((line) => BigInt(line.split('@')[1] ?? '0') > since);
      assert.deepEqual(
        later.map((change) => tell(change, base)),
        wanted,
      );
    }
  },

  'a watch from a revision to come tells of nothing before it': async (t, open) => {
    const store = await open(t);
    const base = await revisionOf(store);
    const { changes, stop } = openWatch(store, '/p/', base + 2n);
    const first = nextChange(changes);
    await putTimes(store, '/p/a', 4);
    assert.equal(tell(await first, base), 'put /p/a 1>2 @3');
    stop();
  },

  'a watch that is called off ends without an error, also while it waits': async (t, open) => {
    const store = await open(t);
    const { changes, stop } = openWatch(store, '/p/', await revisionOf(store));
    assert.equal((await changes.next()).value?.type, 'progress');
    const waiting = changes.next();
    stop();
    assert.equal((await waiting).done, true);
    const late = openWatch(store, '/p/', await revisionOf(store));
    late.stop();
    assert.equal((await late.changes.next()).done, true);
  },

  'a watch hears that it has caught up, and of the progress of others': async (t, open) => {
    const store = await open(t, { progressMs: 5 });
    const base = await revisionOf(store);
    const own = await store.put('/p/a', bytes('1'), 0n, {}, never);
    const { changes, stop } = openWatch(store, '/p/', base);
    assert.equal((await changes.next()).value?.type, 'put');
    const caughtUp = (await changes.next()).value as Change;
    assert.deepEqual([caughtUp.type, caughtUp.revision], ['progress', own]);
    const others = await putTimes(store, '/q/a', 3);
    for (let told = own; told < others;) {
      const { type, revision } = (await changes.next()).value as Change;
      assert.equal(type, 'progress');
      assert.ok(revision > told, 'progress only ever goes on');
      told = revision;
    }
    stop();
  },

  'who asks for the revision is told by a watch when it has come, whatever was written': async (t, open) => {
    const store = await open(t, { progressMs: 1_000_000 });
    const { changes, stop } = openWatch(store, '/p/', await revisionOf(store));
    assert.equal((await changes.next()).value?.type, 'progress');
    for (let round = 0; round < 3; round += 1) {
      let told = changes.next();
      await putTimes(store, `/q/${String(round)}`, 3);
      const revision = await revisionOf(store);
      while (((await told).value as Change).revision < revision) told = changes.next();
    }
    stop();
  },
  'a watch from before a compaction is refused': async (t, open) => {
    const store = await open(t);
    const last = await putTimes(store, '/p/a', 5);
    await store.compact(last - 2n, never);
    await assert.rejects(changesUntil(store, '/p/', last - 3n, last), reason('Expired'));
    await assert.rejects(changesUntil(store, '/', last - 4n, last), reason('Expired'));
    const rest = await changesUntil(store, '/p/', last - 2n, last);
    assert.deepEqual(
      rest.map((change) => change.revision),
      [last - 1n, last],
    );
  },

  'a slow watcher reads the history, and ends with Expired when that is gone': async (t, open) => {
    const store = await open(t, { countMost: 4, bytesMost: 1000 });
    const base = await revisionOf(store);
    const [patient, slow] = [openWatch(store, '/p/', base), openWatch(store, '/p/', base)];
    const first = await putTimes(store, '/p/a', 1);
    for (const { changes } of [patient, slow]) assert.equal((await nextChange(changes)).revision, first);
    const last = await putTimes(store, '/p/b', 40);
    for (let revision = first + 1n; revision <= last; revision += 1n)
      assert.equal((await nextChange(patient.changes)).revision, revision);
    await store.compact(last, never);
    const end = await putTimes(store, '/p/c', 600);
    // What lies between the driver's end and ours may still come; but never with a gap.
    let position = first;
    try {
      while (position < end) {
        const { revision } = await nextChange(slow.changes);
        assert.equal(revision, position + 1n, 'until its end it misses nothing');
        position = revision;
      }
    } catch (error) {
      if (!reason('Expired')(error)) throw error;
    }
    slow.stop();
    patient.stop();
  },

  'many watchers of many prefixes each see their own, while others write': async (t, open) => {
    const store = await open(t);
    const base = await revisionOf(store);
    const prefixes = Array.from({ length: 30 }, (_, index) => `/p${String(index % 10)}/`);
    const watches = prefixes.map((prefix) => openWatch(store, prefix, base));
    const writers = Array.from({ length: 10 }, async (_, index) => await putTimes(store, `/p${String(index)}/k`, 20));
    const seen = await Promise.all(
      watches.map(async ({ changes }) => {
        const own = [];
        for (let count = 0; count < 20; count += 1) own.push(tell(await nextChange(changes)).replace(/ @.*/, ''));
        return own;
      }),
    );
    await Promise.all(writers);
    for (const [index, own] of seen.entries()) {
      const key = `${prefixes[index] ?? ''}k`;
      const wanted = Array.from({ length: 20 }, (_, n) => `put ${key} ${n === 0 ? '' : String(n - 1)}>${String(n)}`);
      assert.deepEqual(own, wanted);
    }
    for (const { stop } of watches) stop();
  },
};
