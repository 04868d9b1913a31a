import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { LogQuery } from './container-log.ts';
import { arrangeLog, currentLogPath, logGenerations, rotateBeforeStart } from './log-files.ts';
import { readLog } from './read-log.ts';

const limits = { maxFiles: 3, maxSizeBytes: 10_000, compress: false };
const everything: LogQuery = { stdout: true, stderr: true, follow: false };
const epochNs = BigInt(Date.parse('2026-11-22T10:00:00Z')) * 1_000_000n;

interface Fixture extends Disposable {
  readonly folder: string;
  readonly finished: AbortController;
  write(text: string, stream?: string, tag?: string): void;
  /** What conmon does when its file is full. */
  rotate(): void;
  read(query: Partial<LogQuery>, signal?: AbortSignal): AsyncGenerator<string>;
  all(query: Partial<LogQuery>): Promise<readonly string[]>;
}

function openFixture(): Fixture {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const finished = new AbortController();
  let seconds = 0;
  arrangeLog(folder, limits);
  const fixture: Fixture = {
    folder,
    finished,
    write: (text, stream = 'stdout', tag = 'F') => {
      const time = `2026-11-22T10:00:${String(seconds++ % 60).padStart(2, '0')}.000000000+00:00`;
      appendFileSync(currentLogPath(folder), `${time} ${stream} ${tag} ${text}\n`);
    },
    rotate: () => {
      const next = `${currentLogPath(folder)}.tmp`;
      writeFileSync(next, '');
      renameSync(next, currentLogPath(folder));
    },
    async *read(query, signal = new AbortController().signal) {
      const source = { folder, finished: finished.signal };
      for await (const records of readLog(source, { ...everything, ...query }, signal))
        for (const { bytes } of records) yield Buffer.from(bytes).toString();
    },
    all: async (query) => Array.fromAsync(fixture.read(query)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
  return fixture;
}

test('an empty and a missing log are empty', async () => {
  using log = openFixture();
  assert.deepEqual(await log.all({}), []);
  assert.deepEqual(await log.all({ tail: 3 }), []);
  const source = { folder: join(log.folder, 'none'), finished: AbortSignal.abort() };
  assert.deepEqual(await Array.fromAsync(readLog(source, { ...everything, follow: true }, log.finished.signal)), []);
});

test('streams, since and until choose records', async () => {
  using log = openFixture();
  log.write('out 0');
  log.write('err 1', 'stderr');
  log.write('out 2');
  assert.deepEqual(await log.all({}), ['out 0\n', 'err 1\n', 'out 2\n']);
  assert.deepEqual(await log.all({ stdout: false }), ['err 1\n']);
  assert.deepEqual(await log.all({ sinceNs: epochNs + 1_000_000_000n }), ['err 1\n', 'out 2\n']);
  assert.deepEqual(await log.all({ untilNs: epochNs + 1_000_000_000n }), ['out 0\n', 'err 1\n']);
});

test('tail counts whole lines, across files, of the chosen streams', async () => {
  using log = openFixture();
  for (const text of ['a', 'b']) log.write(text);
  log.rotate();
  arrangeLog(log.folder, limits);
  log.write('c1', 'stdout', 'P');
  log.write('c2');
  log.write('e', 'stderr');
  log.write('unfinished', 'stdout', 'P');
  assert.deepEqual(await log.all({ tail: 1 }), ['unfinished']);
  assert.deepEqual(await log.all({ tail: 3 }), ['c1c2\n', 'e\n', 'unfinished']);
  assert.deepEqual(await log.all({ tail: 2, stderr: false }), ['c1c2\n', 'unfinished']);
  assert.deepEqual(await log.all({ tail: 4 }), ['b\n', 'c1c2\n', 'e\n', 'unfinished']);
  assert.deepEqual((await log.all({ tail: 100 })).length, 5);
  assert.deepEqual(await log.all({ tail: 0 }), []);
});

test('tail finds lines in files larger than a block', async () => {
  using log = openFixture();
  for (let index = 0; index < 3000; index += 1) log.write(`line ${String(index)} ${'x'.repeat(index % 200)}`);
  const tail = await log.all({ tail: 1234 });
  assert.equal(tail.length, 1234);
  assert.match(tail[0] ?? '', /^line 1766 /);
  assert.match(tail.at(-1) ?? '', /^line 2999 /);
});

test('following sees what is written later, across rotations that nobody arranged', async () => {
  using log = openFixture();
  log.write('before');
  const lines = log.read({ follow: true, tail: 1 });
  assert.equal((await lines.next()).value, 'before\n');
  const next = lines.next();
  log.write('live');
  assert.equal((await next).value, 'live\n');
  log.write('last of the first');
  log.rotate();
  log.write('first of the second');
  assert.equal((await lines.next()).value, 'last of the first\n');
  assert.equal((await lines.next()).value, 'first of the second\n');
  arrangeLog(log.folder, limits);
  log.write('in the second');
  log.rotate();
  log.write('third');
  log.finished.abort();
  assert.deepEqual(await Array.fromAsync(lines), ['in the second\n', 'third\n']);
});

test('following from an empty tail sees the first line after a rotation', async () => {
  using log = openFixture();
  log.write('old');
  const lines = log.read({ follow: true, tail: 0 });
  const next = lines.next();
  log.rotate();
  log.write('new');
  assert.equal((await next).value, 'new\n');
  log.finished.abort();
  await lines.return(undefined);
});

test('following ends when the signal aborts', async () => {
  using log = openFixture();
  const stop = new AbortController();
  const lines = log.read({ follow: true }, stop.signal);
  const next = lines.next();
  stop.abort();
  assert.equal((await next).done, true);
});

test('old files go, the newest stay', () => {
  using log = openFixture();
  for (let index = 0; index < 6; index += 1) {
    log.write(String(index));
    log.rotate();
    arrangeLog(log.folder, limits);
  }
  assert.deepEqual(
    logGenerations(log.folder).map(({ number }) => number),
    [5, 6, 7, 8],
  );
  arrangeLog(log.folder, limits);
  assert.deepEqual(readdirSync(log.folder).length, 6);
});

test('a half full file is not written on by the next run', () => {
  using log = openFixture();
  log.write('x'.repeat(4000));
  rotateBeforeStart(log.folder, limits);
  assert.ok(statSync(currentLogPath(log.folder)).size > 0);
  log.write('x'.repeat(4000));
  rotateBeforeStart(log.folder, limits);
  assert.equal(statSync(currentLogPath(log.folder)).size, 0);
  assert.deepEqual(
    logGenerations(log.folder).map(({ number }) => number),
    [1, 2, 3],
  );
});
