import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encodeFluentEvent, parseFluentAcks } from './fluent-message.ts';
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts';

const event = { tag: 't', timeNs: 1_700_000_000_000_000_005n, record: { log: 'hi' }, subSecond: false };

test('an event is tag, time, record and options', () => {
  assert.deepEqual(decodeMsgpack(encodeFluentEvent(event))?.value, ['t', 1_700_000_000, { log: 'hi' }, {}]);
  const confirmed = decodeMsgpack(encodeFluentEvent({ ...event, chunk: 'c1' }))?.value as readonly unknown[];
  assert.deepEqual(confirmed[3], { chunk: 'c1' });
});

test('a time with nanoseconds is an EventTime', () => {
  const bytes = encodeFluentEvent({ ...event, subSecond: true });
  assert.equal(bytes.subarray(3, 13).toString('hex'), 'd7006553f10000000005');
});

test('acknowledgements are taken as they come', () => {
  const bytes = Buffer.concat([encodeMsgpack({ ack: 'a' }), encodeMsgpack({ other: 1 }), encodeMsgpack({ ack: 'b' })]);
  assert.deepEqual(parseFluentAcks(bytes).chunks, ['a', 'b']);
  const { chunks, rest } = parseFluentAcks(bytes.subarray(0, bytes.length - 1));
  assert.deepEqual(chunks, ['a']);
  assert.equal(rest.length, encodeMsgpack({ ack: 'b' }).length - 1);
  assert.throws(() => parseFluentAcks(Buffer.from([0xc1])), { reason: 'Damaged' });
});
