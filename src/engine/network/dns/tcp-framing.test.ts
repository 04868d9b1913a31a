import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { frameMessage, MessageReader } from './tcp-framing.ts';

test('messages come out of a stream as they went in, however it is cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 30 }), (given, step) => {
      const stream = Buffer.concat(given.map((message) => frameMessage(Buffer.from(message))));
      const reader = new MessageReader();
      const found: Uint8Array[] = [];
      for (let offset = 0; offset < stream.length; offset += step) {
        found.push(...reader.push(stream.subarray(offset, offset + step)));
      }
      assert.deepEqual(
        found.map((message) => Uint8Array.from(message)),
        given,
      );
    }),
    { numRuns: 200 },
  );
});
