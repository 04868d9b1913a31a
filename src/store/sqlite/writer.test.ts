import assert from 'node:assert/strict';
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { bytes, reason, text } from '#kit/store-suite/driver.ts';
import { tempFolder } from '#kit/temp-root.ts';

import { databasePath } from './database.ts';
import { Reader } from './reader.ts';
import type { Outcome, Write, WriterOptions } from './write.ts';
import { Writer } from './writer.ts';

const lease = '/registry/leases/kube-node-lease/one';
const leader = '/registry/leases/kube-system/leader';

test('what was written is there after closing, under the same revision', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder);
  const first = put(writer, '/a', 'one', 0n);
  writer[Symbol.dispose]();
  using again = open(folder);
  assert.equal(again.progress.revision, first);
  using reader = new Reader(databasePath(folder));
  assert.equal(text(reader.get('/a')?.value), 'one');
  assert.equal(put(again, '/a', 'two', first), first + 1n);
});

test('after an end without closing, revisions begin where none was ever given', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder);
  const first = put(writer, '/a', 'one', 0n);
  let last = put(writer, lease, '0', 0n);
  for (let count = 0; count < 50; count += 1) last = put(writer, lease, String(count), last);
  // Loss of power: what is in the files now, and without what was not waited for.
  const lost = tempFolder(t);
  copyFileSync(databasePath(folder), databasePath(lost));
  copyFileSync(`${databasePath(folder)}-wal`, `${databasePath(lost)}-wal`);
  using again = open(lost);
  assert.ok(again.progress.revision >= last);
  assert.equal(conflictOf(again, '/a', first), undefined);
  using reader = new Reader(databasePath(lost));
  assert.equal(reader.state().revision, again.progress.revision);
});

test('lazy keys are written without waiting for the disk only while revisions are kept in reserve', (t) => {
  using writer = open(tempFolder(t));
  let last = put(writer, lease, '0', 0n);
  for (let count = 0; count < 10_500; count += 500) {
    const writes = Array.from({ length: 500 }, (_, index) => putOf(lease, String(index), last + BigInt(index)));
    const outcomes = writer.write(writes);
    last += 500n;
    assert.deepEqual(outcomes.at(-1), { id: 0, revision: last, before: bytes('498') });
  }
});

test('keys without history are not in the log, and their changes are told apart', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder);
  const created = put(writer, leader, '0', 0n);
  const renewed = put(writer, leader, '1', created);
  assert.equal(writer.progress.unlogged, renewed);
  const pod = put(writer, '/registry/pods/a', '0', 0n);
  using reader = new Reader(databasePath(folder));
  assert.equal(reader.state().logCount, 1n);
  assert.deepEqual(
    reader.changes('', 1n, pod).changes.map(({ key }) => key),
    ['/registry/pods/a'],
  );
  assert.deepEqual(
    reader.list('/registry/', { at: created }, true).entries.map(({ key, value }) => [key, text(value)]),
    [[leader, '1']],
  );
});

test('the log keeps no more changes, and no more bytes, than it is told to', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder, { keepChanges: 10, keepBytes: 1000 });
  using reader = new Reader(databasePath(folder));
  let last = 0n;
  for (let count = 0; count < 50; count += 1) last = put(writer, '/a', String(count), last);
  assert.deepEqual([reader.state().logCount, writer.progress.compacted], [10n, last - 10n]);
  for (let count = 0; count < 9; count += 1) last = put(writer, '/a', 'x'.repeat(300), last);
  assert.deepEqual([reader.state().logCount, reader.state().logBytes], [3n, 900n]);
  assert.throws(() => reader.changes('/', last - 4n, last), reason('Expired'));
  assert.equal(reader.changes('/', last - 3n, last).changes.length, 3);
});

test('the log forgets what is older than it keeps', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder, { keepMs: 0 });
  using reader = new Reader(databasePath(folder));
  let last = 0n;
  for (let count = 0; count < 20; count += 1) last = put(writer, '/a', String(count), last);
  assert.ok(reader.state().logCount < 20n, 'all but the latest went');
  assert.ok(writer.progress.compacted > 1n);
});

test('a compaction takes all up to its revision', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder);
  using reader = new Reader(databasePath(folder));
  let last = 0n;
  for (let count = 0; count < 20; count += 1) last = put(writer, '/a', 'x', last);
  writer.compact(last - 5n);
  assert.deepEqual([reader.state().logCount, reader.state().logBytes], [5n, 5n]);
  assert.throws(() => writer.compact(last + 1n), reason('Timeout'));
});

test('the files stay as large as what is in them, however much is written', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder, { keepChanges: 200 });
  const value = 'v'.repeat(2000);
  const round = (): void => {
    for (let from = 0; from < 2000; from += 500) {
      const keys = Array.from({ length: 500 }, (_, index) => `/registry/pods/${String(from + index)}`);
      const created = writer.write(keys.map((key) => putOf(key, value, 0n)));
      writer.reclaim();
      writer.write(created.map((outcome, index) => removeOf(keys[index] ?? '', revisionOf(outcome))));
      writer.reclaim();
    }
  };
  // Each round writes 8 MB of values; the write-ahead log alone may have 16.
  for (let count = 0; count < 8; count += 1) round();
  assert.ok(sizeOf(folder) < 32_000_000, `${String(sizeOf(folder))} bytes`);
});

test('room that many removals have left free goes back to the file system', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder, { keepChanges: 1 });
  const keys = Array.from({ length: 1000 }, (_, index) => `/a/${String(index)}`);
  const created = writer.write(keys.map((key) => putOf(key, 'x'.repeat(20_000), 0n)));
  writer.write(created.map((outcome, index) => removeOf(keys[index] ?? '', revisionOf(outcome))));
  for (let count = 0; count < 640; count += 1) {
    if (count % 16 === 0) put(writer, `/b/${String(count)}`, '', 0n);
    writer.reclaim();
  }
  writer[Symbol.dispose]();
  assert.ok(statSync(databasePath(folder)).size < 12_000_000);
});

test('what has lived its time goes, once', (t) => {
  const folder = tempFolder(t);
  using writer = open(folder);
  assert.deepEqual(writer.expire(), []);
  const [due] = writer.write([{ ...putOf('/a', 'x', 0n), ttlSeconds: -1 }]);
  const since = due === undefined ? 0n : revisionOf(due);
  assert.deepEqual(writer.expire(), [{ key: '/a', value: bytes('x'), revision: since + 1n }]);
  assert.deepEqual(writer.expire(), []);
  using reader = new Reader(databasePath(folder));
  assert.equal(reader.get('/a'), undefined);
});

test('a transaction of conflicts alone changes nothing', (t) => {
  using writer = open(tempFolder(t));
  const { revision } = writer.progress;
  assert.deepEqual(writer.write([putOf('/a', 'x', 7n), putOf('/b', 'x', 8n)]), [
    { id: 0, conflictsWith: 0n },
    { id: 0, conflictsWith: 0n },
  ]);
  assert.equal(writer.progress.revision, revision);
});

function open(folder: string, options: Partial<WriterOptions> = {}): Writer {
  return new Writer({
    path: databasePath(folder),
    keepMs: 300_000,
    keepChanges: 1000,
    keepBytes: 1_000_000_000,
    currentOnly: ['/registry/leases/'],
    lazy: ['/registry/leases/kube-node-lease/'],
    ...options,
  });
}

function putOf(key: string, value: string, expected: bigint): Write & { type: 'put' } {
  return { type: 'put', id: 0, key, value: bytes(value), expected, ttlSeconds: undefined };
}

function removeOf(key: string, expected: bigint): Write {
  return { type: 'remove', id: 0, key, expected };
}

function put(writer: Writer, key: string, value: string, expected: bigint): bigint {
  const [outcome] = writer.write([putOf(key, value, expected)]);
  return outcome === undefined ? 0n : revisionOf(outcome);
}

function conflictOf(writer: Writer, key: string, expected: bigint): bigint | undefined {
  const [outcome] = writer.write([putOf(key, 'again', expected)]);
  return outcome !== undefined && 'conflictsWith' in outcome ? outcome.conflictsWith : undefined;
}

function revisionOf(outcome: Outcome): bigint {
  assert.ok('revision' in outcome);
  return outcome.revision;
}

function sizeOf(folder: string): number {
  return statSync(databasePath(folder)).size + statSync(join(folder, 'store.db-wal')).size;
}
