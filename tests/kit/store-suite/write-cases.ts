import assert from 'node:assert/strict';

import { bytes, never, reason, text, type Cases } from './driver.ts';
import { nextChange, openWatch, revisionOf, tell } from './watching.ts';

export const writeCases: Cases = {
  'a write is conditional on the revision': async (t, open) => {
    const store = await open(t);
    const first = await store.put('/a', bytes('1'), 0n, {}, never);
    await assert.rejects(store.put('/a', bytes('2'), 0n, {}, never), reason('Conflict'));
    await assert.rejects(store.put('/a', bytes('2'), first + 1n, {}, never), reason('Conflict'));
    await assert.rejects(store.put('/b', bytes('2'), first, {}, never), reason('Conflict'));
    const second = await store.put('/a', bytes('2'), first, {}, never);
    assert.equal(second, first + 1n);
    const entry = await store.get('/a', never);
    assert.deepEqual([text(entry?.value), entry?.revision], ['2', second]);
    await assert.rejects(store.remove('/a', first, never), reason('Conflict'));
    await assert.rejects(store.remove('/b', first, never), reason('Conflict'));
    await assert.rejects(store.remove('/b', 0n, never), reason('InvalidArgument'));
    assert.equal(await store.remove('/a', second, never), second + 1n);
    assert.equal(await store.get('/a', never), undefined);
    assert.equal(await revisionOf(store), second + 1n);
    assert.equal(await store.put('/a', bytes('3'), 0n, {}, never), second + 2n);
  },

  'of many creates of one key one wins, and no update is lost': async (t, open) => {
    const store = await open(t);
    const creates = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, index) => await store.put('/one', bytes(String(index)), 0n, {}, never)),
    );
    assert.equal(creates.filter(({ status }) => status === 'fulfilled').length, 1);
    await store.put('/count', bytes('0'), 0n, {}, never);
    const addOne = async (): Promise<void> => {
      for (;;) {
        const { value, revision } = (await store.get('/count', never)) ?? { value: bytes('?'), revision: 0n };
        try {
          await store.put('/count', bytes(String(Number(text(value)) + 1)), revision, {}, never);
          return;
        } catch (error) {
          if (!reason('Conflict')(error)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, addOne));
    assert.equal(text((await store.get('/count', never))?.value), '20');
  },

  'any bytes up to the limit are stored, and refused beyond': async (t, open) => {
    const store = await open(t);
    const values = [
      new Uint8Array(),
      Uint8Array.from({ length: 256 }, (_, index) => index),
      new Uint8Array(1_500_000).fill(7),
    ];
    for (const [index, value] of values.entries()) {
      const key = `/bytes/${String(index)}`;
      const first = await store.put(key, value, 0n, {}, never);
      const entry = await store.get(key, never);
      assert.deepEqual(Buffer.from(entry?.value ?? []), Buffer.from(value));
      await store.put(key, value, first, {}, never);
    }
    const { entries } = await store.list('/bytes/', {}, never);
    assert.deepEqual(
      entries.map(({ value }) => value.length),
      [0, 256, 1_500_000],
    );
    await assert.rejects(store.put('/large', new Uint8Array(1_500_001), 0n, {}, never), reason('TooLarge'));
    for (const key of ['', '/a\0b', '/\ud800', `/${'k'.repeat(2048)}`])
      await assert.rejects(store.put(key, bytes('1'), 0n, {}, never), reason('InvalidArgument'));
  },

  'what has a time to live goes by itself, unless it is written again without one': async (t, open) => {
    const store = await open(t);
    const since = await revisionOf(store);
    const { changes, stop } = openWatch(store, '/ttl/', since);
    const kept = await store.put('/ttl/kept', bytes('1'), 0n, { ttlSeconds: 1 }, never);
    await store.put('/ttl/kept', bytes('2'), kept, {}, never);
    await store.put('/ttl/gone', bytes('3'), 0n, { ttlSeconds: 1 }, never);
    const seen = [];
    for (let count = 0; count < 4; count += 1) seen.push(tell(await nextChange(changes), since));
    assert.deepEqual(seen, [
      'put /ttl/kept >1 @1',
      'put /ttl/kept 1>2 @2',
      'put /ttl/gone >3 @3',
      'remove /ttl/gone 3>3 @4',
    ]);
    stop();
    assert.equal(await store.get('/ttl/gone', never), undefined);
    assert.equal(text((await store.get('/ttl/kept', never))?.value), '2');
    for (const ttlSeconds of [0, -1, 0.5, Number.NaN])
      await assert.rejects(store.put('/ttl/bad', bytes('1'), 0n, { ttlSeconds }, never), reason('InvalidArgument'));
  },

  'what was called off is not done, and a closed store says so': async (t, open) => {
    const store = await open(t);
    const gone = AbortSignal.abort(new Error('left'));
    await assert.rejects(store.put('/a', bytes('1'), 0n, {}, gone), /left/);
    await assert.rejects(store.get('/a', gone), /left/);
    assert.equal(await store.get('/a', never), undefined);
    const { changes } = openWatch(store, '/', await revisionOf(store));
    await changes.next();
    const ends = assert.rejects(changes.next(), reason('Unavailable'));
    await store[Symbol.asyncDispose]();
    await ends;
    await assert.rejects(store.get('/a', never), reason('Unavailable'));
    await assert.rejects(store.put('/a', bytes('1'), 0n, {}, never), reason('Unavailable'));
    await assert.rejects(store.list('/', {}, never), reason('Unavailable'));
  },
};
