import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { required } from '#base/assert.ts';
import { every } from '#base/clock.ts';
import { messageOf, reasonOf } from '#base/errors.ts';

import type { Failure, Report, Request, Write, WriterOptions } from './write.ts';
import { Writer } from './writer.ts';

// The main of a thread: it writes, and waits for the disk. What was asked for while it waited is one transaction then.

/** Writes in one transaction; more wait for the next one, so that none waits long. */
const writesMost = 1000;
const writtenBytesMost = 8 * 1024 * 1024;
const expiryPeriodMs = 1000;

const port = required(parentPort, 'the port to the main thread');
const opened = openWriter(workerData as WriterOptions);
if (opened !== undefined) serve(opened);

/** An error that ends a thread would lose its class on the way: it is told instead. */
function openWriter(options: WriterOptions): Writer | undefined {
  try {
    return new Writer(options);
  } catch (error) {
    report({ type: 'refused', failure: failureOf(error) });
    port.close();
    return undefined;
  }
}

function serve(writer: Writer): void {
  const waiting: Write[] = [];
  port.on('message', (first: Request) => {
    for (let request: Request | undefined = first; request !== undefined; request = next()) {
      if ('writes' in request) {
        waiting.push(...request.writes);
        continue;
      }
      writeAll(writer, waiting);
      if ('compact' in request) compact(writer, request.compact, request.id);
      else return close(writer);
    }
    writeAll(writer, waiting);
  });
  every(expiryPeriodMs, () =>
    attempt(writer, [], () => {
      const expired = writer.expire();
      if (expired.length > 0) report({ type: 'expired', expired, progress: writer.progress });
    }),
  );
  report({ type: 'opened', progress: writer.progress });
}

function next(): Request | undefined {
  return receiveMessageOnPort(port)?.message as Request | undefined;
}

function writeAll(writer: Writer, waiting: Write[]): void {
  while (waiting.length > 0) {
    const batch = waiting.splice(0, batchLength(waiting));
    const ids = batch.map(({ id }) => id);
    attempt(writer, ids, () => report({ type: 'written', outcomes: writer.write(batch), progress: writer.progress }));
    writer.reclaim();
  }
}

function batchLength(waiting: readonly Write[]): number {
  let bytes = 0;
  const most = Math.min(waiting.length, writesMost);
  for (let count = 0; count < most; count += 1) {
    const write = waiting[count];
    if (write?.type === 'put') bytes += write.value.length;
    if (bytes > writtenBytesMost) return Math.max(count, 1);
  }
  return most;
}

function compact(writer: Writer, before: bigint, id: number): void {
  attempt(writer, [id], () => {
    writer.compact(before);
    report({ type: 'compacted', id, progress: writer.progress });
  });
}

function close(writer: Writer): void {
  attempt(writer, [], () => writer[Symbol.dispose]());
  report({ type: 'closed', progress: writer.progress });
  port.close();
}

function attempt(writer: Writer, ids: readonly number[], work: () => void): void {
  try {
    work();
  } catch (error) {
    report({ type: 'failed', ids, failure: failureOf(error), progress: writer.progress });
  }
}

function report(message: Report): void {
  port.postMessage(message);
}

function failureOf(error: unknown): Failure {
  return { reason: reasonOf(error), message: messageOf(error) };
}
