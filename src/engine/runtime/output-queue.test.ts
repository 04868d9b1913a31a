import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { OutputChunk } from './containers.ts';
import { OutputQueue } from './output-queue.ts';

const chunk = (text: string): OutputChunk => ({ stream: 'stdout', bytes: Buffer.from(text) });
const isSettled = async (promise: Promise<void>): Promise<boolean> => {
  let settled = false;
  void promise.then(() => (settled = true));
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return settled;
};

test('chunks arrive in order, before and after the reader came', async () => {
  const queue = new OutputQueue(() => {});
  queue.push(chunk('a'));
  const iterator = queue[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value?.bytes.toString(), 'a');
  const next = iterator.next();
  queue.push(chunk('b'));
  assert.equal((await next).value?.bytes.toString(), 'b');
  queue.end();
  queue.push(chunk('late'));
  assert.equal((await iterator.next()).done, true);
});

test('it is drained when the reader came back for more, not when it got the last', async () => {
  const queue = new OutputQueue(() => {});
  queue.push(chunk('last'));
  queue.end();
  const iterator = queue[Symbol.asyncIterator]();
  await iterator.next();
  assert.equal(await isSettled(queue.drained), false);
  await iterator.next();
  assert.equal(await isSettled(queue.drained), true);
});

test('it is full by bytes and by number, and tells when there is room', async () => {
  let told = 0;
  const queue = new OutputQueue(() => (told += 1));
  queue.push(chunk('x'.repeat(300_000)));
  assert.equal(queue.isFull, true);
  const iterator = queue[Symbol.asyncIterator]();
  await iterator.next();
  for (let count = 0; count < 2000; count += 1) queue.push(chunk('y'));
  await iterator.next();
  assert.ok(told >= 1 && queue.isFull);
  await iterator.return(undefined);
  assert.equal(queue.isFull, false);
});

test('a reader that leaves is not waited for', async () => {
  const queue = new OutputQueue(() => {});
  queue.push(chunk('unread'));
  queue.end();
  assert.equal(await isSettled(queue.drained), false);
  queue.abandon();
  assert.equal(await isSettled(queue.drained), true);
});
