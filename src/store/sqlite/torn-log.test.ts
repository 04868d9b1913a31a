import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { bytes, text } from '#kit/store-suite/driver.ts';
import { tempFolder } from '#kit/temp-root.ts';

import { databasePath } from './database.ts';
import { Reader } from './reader.ts';
import { verifyDatabase } from './verify-store.ts';
import { Writer } from './writer.ts';

const commits = 30;

test('a write-ahead log that is cut off or overwritten anywhere leaves the commits before, whole', (t) => {
  const folder = tempFolder(t);
  const path = databasePath(folder);
  using writer = open(path);
  /** Of the log, after each commit. */
  const sizes: number[] = [];
  let last = 0n;
  for (let count = 0; count < commits; count += 1) {
    const puts = [`/a/${String(count)}`, '/counter'].map((key) => ({
      ...({ type: 'put', id: 0, key, ttlSeconds: undefined } as const),
      value: bytes(`${String(count)} `.repeat(300)),
      expected: key === '/counter' ? last : 0n,
    }));
    const outcome = writer.write(puts)[1];
    last = outcome !== undefined && 'revision' in outcome ? outcome.revision : 0n;
    sizes.push(statSync(`${path}-wal`).size);
  }
  const log = readFileSync(`${path}-wal`);
  const damage = fc.record({ at: fc.integer({ min: 0, max: log.length - 1 }), isCut: fc.boolean() });
  fc.assert(
    fc.property(damage, ({ at, isCut }) => {
      const copy = databasePath(tempFolder(t));
      copyFileSync(path, copy);
      const damaged = Buffer.from(isCut ? log.subarray(0, at) : log);
      if (!isCut) damaged.fill(0x5a, at, Math.min(at + 512, log.length));
      writeFileSync(`${copy}-wal`, damaged);
      {
        using _ = open(copy);
        using reader = new Reader(copy);
        const whole = sizes.filter((size) => size <= at).length;
        const found = reader.list('/a/', {}, true).entries.length;
        // SQLite's file system blocks may reach beyond a commit: what was not damaged may be read as well.
        assert.ok(found === whole || found === whole + 1, `${String(found)} commits of ${String(whole)}`);
        const counter = text(reader.get('/counter')?.value)?.split(' ')[0];
        assert.equal(counter, found === 0 ? undefined : String(found - 1));
      }
      assert.deepEqual(verifyDatabase(copy).problems, []);
    }),
    { numRuns: 25 },
  );
});

function open(path: string): Writer {
  return new Writer({ path, keepMs: 300_000, keepChanges: 10, keepBytes: 1_000_000, currentOnly: [], lazy: [] });
}
