import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { frame } from './frames.ts';
import { SocketReader } from './socket-reader.ts';

/** A connection whose client sends these pieces and half-closes. */
function socketOf(pieces: readonly string[]): Duplex {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true });
  for (const piece of pieces) socket.push(Buffer.from(piece));
  socket.push(null);
  return socket;
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the bytes after an upgrade', () => {
  test('are first the body, then the stream, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 6 }),
        fc.nat(8),
        async (pieces, length) => {
          const whole = Buffer.from(pieces.join(''));
          const bodyLength = Math.min(length, whole.length);
          const [head = '', ...rest] = pieces;
          const reader = new SocketReader(socketOf(rest), Buffer.from(head));
          const body = await textOf(reader.take(bodyLength));
          const stream = await textOf(reader.remainder());
          assert.equal(body, whole.subarray(0, bodyLength).toString());
          assert.equal(stream, whole.subarray(bodyLength).toString());
        },
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  test("a body that ends early is the client's mistake", async () => {
    const reader = new SocketReader(socketOf(['ab']), Buffer.from(''));
    await assert.rejects(textOf(reader.take(3)), { reason: 'InvalidArgument' });
  });

  test('the end of the input leaves the way back open', async () => {
    const socket = socketOf(['x']);
    assert.equal(await textOf(new SocketReader(socket, Buffer.from('')).remainder()), 'x');
    assert.equal(socket.writable, true);
    socket.destroy();
  });
});

test('a frame has its stream, its length and its bytes', () => {
  const bytes = Buffer.from(frame({ stream: 'stderr', bytes: Buffer.from('oh') }));
  assert.equal(bytes.toString('hex'), '0200000000000002' + Buffer.from('oh').toString('hex'));
});
