import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chunkGelfMessage, encodeGelfMessage } from './gelf-message.ts';

const id = Buffer.from('01234567');

test('a message has the fields of GELF 1.1', () => {
  const message = encodeGelfMessage({
    host: 'box',
    text: Buffer.from('häll\xff'),
    timeNs: 1_700_000_000_123_456_789n,
    level: 6,
    extra: { _tag: 'web' },
  });
  assert.deepEqual(JSON.parse(message.toString()), {
    version: '1.1',
    host: 'box',
    short_message: 'häll\xff',
    timestamp: 1_700_000_000.123,
    level: 6,
    _tag: 'web',
  });
});

test('small messages go whole, larger ones in chunks that give them again', () => {
  assert.deepEqual(chunkGelfMessage(Buffer.alloc(1420), id), [Buffer.alloc(1420)]);
  const message = Buffer.from('x'.repeat(1408) + 'y'.repeat(20));
  const chunks = chunkGelfMessage(message, id);
  assert.deepEqual(
    chunks.map((chunk) => chunk.subarray(0, 12).toString('latin1')),
    ['\x1e\x0f01234567\0\x02', '\x1e\x0f01234567\x01\x02'],
  );
  assert.deepEqual(Buffer.concat(chunks.map((chunk) => chunk.subarray(12))), message);
});

test('more than 128 chunks are refused', () => {
  assert.equal(chunkGelfMessage(Buffer.alloc(1408 * 128), id).length, 128);
  assert.throws(() => chunkGelfMessage(Buffer.alloc(1408 * 128 + 1), id), { reason: 'TooLarge' });
});
