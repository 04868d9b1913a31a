import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { eventually } from '#kit/eventually.ts';

import { arrangeLog, currentLogPath } from './log-files.ts';
import { LogKeeper } from './log-keeper.ts';
import { readLog } from './read-log.ts';

const limits = { maxFiles: 3, maxSizeBytes: 1_000_000, compress: true };
const everything = { stdout: true, stderr: true, follow: false };

function lines(from: number, count: number): string {
  return Array.from(
    { length: count },
    (_, index) => `2026-11-22T10:00:00.000000000+00:00 stdout F line ${String(from + index)}\n`,
  ).join('');
}

async function read(folder: string, tail?: number): Promise<readonly string[]> {
  const source = { folder, finished: AbortSignal.abort() };
  const query = { ...everything, ...(tail !== undefined && { tail }) };
  const records = (await Array.fromAsync(readLog(source, query, new AbortController().signal))).flat();
  return records.map(({ bytes }) => Buffer.from(bytes).toString());
}

test('files that are complete are compressed, and read as before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keep-'));
  const keeper = new LogKeeper(folder, limits, silentLogger, new AbortController().signal);
  arrangeLog(folder, limits);
  for (let round = 0; round < 4; round += 1) {
    writeFileSync(currentLogPath(folder), lines(round * 1000, 1000));
    renameSync(join(folder, 'log.tmp'), currentLogPath(folder));
    keeper.arrange();
  }
  await eventually('all are compressed', () =>
    ['log.3.gz', 'log.4.gz'].every((name) => readdirSync(folder).includes(name)),
  );
  await eventually('plain ones are gone', () => !readdirSync(folder).includes('log.4'));
  assert.deepEqual(readdirSync(folder).toSorted(), ['log', 'log.3.gz', 'log.4.gz', 'log.5', 'log.6', 'log.tmp']);
  assert.ok(statSync(join(folder, 'log.3.gz')).size < 20_000);
  const all = await read(folder);
  assert.equal(all.length, 2000);
  assert.equal(all[0], 'line 2000\n');
  assert.deepEqual(await read(folder, 1001), all.slice(-1001));
  assert.deepEqual(await read(folder, 0), []);
  assert.equal(readdirSync(folder).length, 6, 'no drafts are left');
  rmSync(folder, { recursive: true });
});
