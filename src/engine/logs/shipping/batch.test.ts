import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Batch, inGroups } from './batch.ts';
import { newCursor } from './cursor.ts';

const part = (text: string) => ({ stream: 'stdout', timeNs: 1n, bytes: Buffer.from(text) }) as const;

test('a batch numbers its lines, and its cursor holds what has begun', () => {
  const batch = new Batch(newCursor());
  assert.equal(batch.isUnmoved, true);
  batch.add({ parts: [part('one\n'), part('two\n'), part('beg')], next: { generation: 1, offset: 90 } });
  assert.deepEqual(
    batch.messages.map(({ ordinal }) => ordinal),
    [1, 2],
  );
  assert.equal(batch.sizeBytes, 8);
  const { position, sent, waiting } = batch.cursor;
  assert.deepEqual([position, sent, waiting.length], [{ generation: 1, offset: 90 }, 2, 1]);
  batch.clear();
  assert.equal(batch.isUnmoved, true);
  batch.end();
  assert.equal(Buffer.from(batch.messages[0]?.bytes ?? []).toString(), 'beg');
});

test('groups have at most as many lines and bytes as may be on their way, and at least one line', () => {
  const batch = new Batch(newCursor());
  const parts = Array.from({ length: 600 }, (_, index) => part(index === 3 ? `${'x'.repeat(50)}\n` : 'x\n'));
  batch.add({ parts, next: { generation: 1, offset: 1 } });
  const sizes = (bytes: number): readonly number[] => [...inGroups(batch.messages, bytes)].map((group) => group.length);
  assert.deepEqual(sizes(1_000_000), [256, 256, 88]);
  assert.deepEqual(sizes(10).slice(0, 4), [3, 1, 5, 5]);
  assert.deepEqual([...inGroups([], 10)], []);
});
