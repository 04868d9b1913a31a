import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { createLogger, silentLogger } from '#base/logger.ts';
import { eventually } from '#kit/eventually.ts';

import type { LogTarget } from '../log-config.ts';
import { arrangeLog, currentLogPath, logGenerations } from '../log-files.ts';
import { readCursor } from './cursor.ts';
import { Shipper, type ShipperOptions } from './shipper.ts';
import type { LogMessage, Sink } from './sink.ts';

const retry = { firstMs: 1, factor: 1, longestMs: 1 };
const limits = { maxFiles: 3, maxSizeBytes: 100_000, compress: false };

/** A receiver that is played: it can be away, and lose what it was given last. */
class PlayedReceiver {
  readonly received: LogMessage[] = [];
  isAway = false;
  opened = 0;
  settleMs = 0;
  /** When what was sent is confirmed. */
  answer: Promise<void> | undefined;
  connection = new AbortController();

  open = async (): Promise<Sink> => {
    if (this.isAway) throw new Error('nobody is there');
    this.opened += 1;
    this.connection = new AbortController();
    const { signal } = this.connection;
    return {
      settleMs: this.settleMs,
      lost: signal,
      send: async (messages) => {
        signal.throwIfAborted();
        this.received.push(...messages);
        await this.answer;
      },
      finish: async () => signal.throwIfAborted(),
      [Symbol.dispose]: () => {},
    };
  };

  get lines(): readonly string[] {
    return this.received.map(({ bytes }) => Buffer.from(bytes).toString());
  }
}

interface Fixture extends Disposable {
  readonly folder: string;
  readonly cursorPath: string;
  readonly receiver: PlayedReceiver;
  readonly finished: AbortController;
  write(text: string, tag?: string): void;
  rotate(): void;
  /** Ships until the writer has finished, or until a signal aborts. */
  ship(changes?: Partial<ShipperOptions>, signal?: AbortSignal): Promise<void>;
}

function openFixture(): Fixture {
  const root = mkdtempSync(join(tmpdir(), 'ship-'));
  const folder = join(root, 'log');
  const receiver = new PlayedReceiver();
  const finished = new AbortController();
  const cursorPath = join(root, 'cursor.json');
  arrangeLog(folder, limits);
  return {
    folder,
    cursorPath,
    receiver,
    finished,
    write: (text, tag = 'F') =>
      appendFileSync(currentLogPath(folder), `2026-11-22T10:00:00.000000000+00:00 stdout ${tag} ${text}\n`),
    rotate: () => {
      renameSync(join(folder, 'log.tmp'), currentLogPath(folder));
      arrangeLog(folder, limits);
    },
    ship: (changes = {}, signal = new AbortController().signal) => {
      const target: LogTarget = { driver: 'journald', retry };
      const options = {
        cursorPath,
        rest: new AbortController().signal,
        target,
        settings: { readable: true },
        openSink: receiver.open,
        logger: silentLogger,
      };
      return new Shipper({ ...options, ...changes }).run({ folder, finished: finished.signal }, signal);
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

test('everything is sent once, across files, and what comes later too', async () => {
  using log = openFixture();
  log.write('one');
  const done = log.ship();
  await eventually('the first line', () => log.receiver.lines.length === 1);
  log.write('two');
  log.rotate();
  log.write('thr', 'P');
  log.write('ee');
  log.write('unfinished', 'P');
  log.finished.abort();
  await done;
  assert.deepEqual(log.receiver.lines, ['one\n', 'two\n', 'three\n', 'unfinished']);
  assert.deepEqual(
    log.receiver.received.map(({ ordinal }) => ordinal),
    [1, 2, 3, 4],
  );
  await log.ship();
  assert.equal(log.receiver.lines.length, 4);
});

test('a receiver that is away misses nothing', async () => {
  using log = openFixture();
  log.receiver.isAway = true;
  const done = log.ship();
  log.write('while away');
  log.rotate();
  log.write('still away');
  log.receiver.isAway = false;
  log.finished.abort();
  await done;
  assert.deepEqual(log.receiver.lines, ['while away\n', 'still away\n']);
});

test('a line that was begun when sending stopped is sent whole by the next one', async () => {
  using log = openFixture();
  const stop = new AbortController();
  log.write('whole');
  log.write('beg', 'P');
  const first = log.ship({}, stop.signal);
  await eventually('the whole line', () => log.receiver.lines.length === 1);
  stop.abort(new Error('stopped'));
  await assert.rejects(first, /stopped/);
  log.write('un');
  log.finished.abort();
  await log.ship();
  assert.deepEqual(log.receiver.lines, ['whole\n', 'begun\n']);
  const [one, two] = log.receiver.received;
  assert.deepEqual([one?.epoch, one?.ordinal, two?.ordinal], [two?.epoch, 1, 2]);
});

test('what was handed over and not received is sent again, under the same ordinals', async () => {
  using log = openFixture();
  log.receiver.settleMs = 20;
  log.write('one');
  log.write('two');
  const done = log.ship();
  await eventually('handed over', () => log.receiver.lines.length === 2);
  log.receiver.connection.abort(new Error('it died'));
  await eventually('again', () => log.receiver.lines.length >= 4);
  await eventually('received', () => readCursor(log.cursorPath)?.sent === 2);
  log.finished.abort();
  await done;
  assert.deepEqual(log.receiver.lines, ['one\n', 'two\n', 'one\n', 'two\n']);
  assert.deepEqual(
    log.receiver.received.map(({ ordinal }) => ordinal),
    [1, 2, 1, 2],
  );
  assert.equal(log.receiver.opened, 2);
});

test('a connection that goes when all was received is made again for the next line only', async () => {
  using log = openFixture();
  log.write('one');
  const done = log.ship();
  await eventually('received', () => readCursor(log.cursorPath)?.sent === 1);
  log.receiver.connection.abort(new Error('idle'));
  log.write('two');
  await eventually('the second', () => log.receiver.lines.length === 2);
  log.finished.abort();
  await done;
  assert.equal(log.receiver.opened, 2);
});

test('lines are left out when sending falls behind by more than the options allow', async () => {
  using log = openFixture();
  for (let index = 0; index < 100; index += 1) log.write(String(index).padStart(3));
  log.finished.abort();
  await log.ship({ settings: { readable: true, lagBytes: 500 } });
  assert.deepEqual(log.receiver.lines.at(0), ' 90\n');
  assert.deepEqual(log.receiver.lines.at(-1), ' 99\n');
});

test('lines are given up after as many attempts as the options say', async () => {
  using log = openFixture();
  log.receiver.isAway = true;
  log.write('lost');
  const target: LogTarget = { driver: 'journald', retry: { ...retry, attemptsMost: 2 } };
  const done = log.ship({ target });
  await eventually('it is given up', () => (readCursor(log.cursorPath)?.sent ?? 0) === 1);
  log.receiver.isAway = false;
  log.write('kept');
  log.finished.abort();
  await done;
  assert.deepEqual(log.receiver.lines, ['kept\n']);
});

test('a cursor that cannot be written stops nothing', async () => {
  using log = openFixture();
  log.write('one');
  log.finished.abort();
  await log.ship({ cursorPath: join(log.folder, 'missing', 'cursor.json') });
  assert.deepEqual(log.receiver.lines, ['one\n']);
});

test('files that had to go before they were sent are told, and the rest is sent', async () => {
  using log = openFixture();
  const told: string[] = [];
  const logger = createLogger({ level: 'warn', format: 'json', write: (line) => told.push(line) });
  log.write('one');
  const stop = new AbortController();
  const first = log.ship({}, stop.signal);
  await eventually('the first line', () => readCursor(log.cursorPath)?.sent === 1);
  stop.abort(new Error('stopped'));
  await assert.rejects(first, /stopped/);
  for (let file = 2; file <= 6; file += 1) {
    log.rotate();
    log.write(String(file));
  }
  log.finished.abort();
  await log.ship({ logger });
  assert.deepEqual(log.receiver.lines, ['one\n', '4\n', '5\n', '6\n']);
  assert.match(told.join(''), /output was not sent before its files had to go","files":2/);
});

test('files that nobody may read go when they were sent', async () => {
  using log = openFixture();
  log.write('one');
  log.rotate();
  log.write('two');
  log.finished.abort();
  await log.ship({ settings: { readable: false } });
  assert.deepEqual(
    logGenerations(log.folder).map(({ number }) => number),
    [2, 3],
  );
});

test('one that is to rest waits for the word on what it has just sent, and sends nothing more', async () => {
  using log = openFixture();
  const answer = Promise.withResolvers<void>();
  log.receiver.answer = answer.promise;
  const rest = new AbortController();
  log.write('one');
  const done = log.ship({ rest: rest.signal });
  await eventually('the line is sent', () => log.receiver.lines.length === 1);
  rest.abort(new Error('rest'));
  log.write('two');
  answer.resolve();
  await assert.rejects(done, { message: 'rest' });
  log.finished.abort();
  await log.ship();
  assert.deepEqual(log.receiver.lines, ['one\n', 'two\n']);
});
