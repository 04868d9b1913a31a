import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { frameMessage, readMessages } from './frames.ts';

async function read(chunks: Iterable<Uint8Array>): Promise<readonly string[]> {
  const stream = (async function* () {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
  })();
  const messages: string[] = [];
  for await (const message of readMessages(stream)) messages.push(message.toString('hex'));
  return messages;
}

describe('frames of gRPC', () => {
  test('come back however the bytes are cut', async () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(messages, fc.integer({ min: 1, max: 20 }), async (sent, size) => {
        const bytes = Buffer.concat(sent.map(frameMessage));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        assert.deepEqual(
          await read(chunks),
          sent.map((message) => Buffer.from(message).toString('hex')),
        );
      }),
    );
  });

  for (const [what, hex, reason] of [
    ['compressed', '010000000161', 'InvalidArgument'],
    ['cut', '000000000561', 'InvalidArgument'],
    ['cut in its prefix', '0000', 'InvalidArgument'],
    ['too large', '00ffffffff', 'TooLarge'],
  ] as const)
    test(`one that is ${what} is refused`, async () => {
      await assert.rejects(
        read([Buffer.from(hex, 'hex')]),
        (error) => error instanceof StatusError && error.reason === reason,
      );
    });
});
