import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { encodeWebSocketFrame, type WebSocketMessage, WebSocketReader } from './websocket-frames.ts';

/** A frame as a client sends it. */
function clientFrame(opcode: number, data: Uint8Array, isFinal = true): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const server = encodeWebSocketFrame('binary', data);
  const head = server.subarray(0, server.length - data.length);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = (head[1] ?? 0) | 0x80;
  return Buffer.concat([head, mask, Buffer.from(data).map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

function read(bytes: Buffer, pieceBytes: number): readonly WebSocketMessage[] {
  const reader = new WebSocketReader(100_000);
  const messages: WebSocketMessage[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    messages.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
  return messages;
}

test('messages come out whole, however they are cut into frames and pieces', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 70_000 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 4 }), fc.integer({ min: 1, max: 5000 }), (messages, pieceBytes) => {
      const fitting = messages.filter((all) => Buffer.concat(all).length <= 100_000);
      const frames = fitting.flatMap((all) =>
        all.map((part, index) => clientFrame(index === 0 ? 2 : 0, part, index === all.length - 1)),
      );
      const found = read(Buffer.concat(frames), pieceBytes);
      assert.deepEqual(
        found,
        fitting.map((all) => ({ type: 'binary', data: Buffer.concat(all) })),
      );
    }),
    { numRuns: 50 },
  );
});

test('control frames come between parts, and a close says why', () => {
  const bytes = Buffer.concat([
    clientFrame(1, Buffer.from('he'), false),
    clientFrame(9, Buffer.from('?')),
    clientFrame(0, Buffer.from('llo')),
    clientFrame(8, Buffer.from([3, 232, 98, 121, 101])),
    clientFrame(8, Buffer.alloc(0)),
  ]);
  assert.deepEqual(
    read(bytes, 3).map((message) =>
      message.type === 'close' ? message : `${message.type} ${message.data.toString()}`,
    ),
    ['ping ?', 'text hello', { type: 'close', code: 1000, reason: 'bye' }, { type: 'close', code: 1005, reason: '' }],
  );
});

test('what is against the protocol is refused, and nothing else is ever thrown', () => {
  const wrong: readonly (readonly [string, Buffer])[] = [
    ['not masked', encodeWebSocketFrame('binary', Buffer.from('x'))],
    ['an extension', Buffer.concat([Buffer.from([0xc2]), clientFrame(2, Buffer.from('x')).subarray(1)])],
    ['a continuation of nothing', clientFrame(0, Buffer.from('x'))],
    [
      'begins within another',
      Buffer.concat([clientFrame(2, Buffer.from('x'), false), clientFrame(2, Buffer.from('y'))]),
    ],
    ['more than', clientFrame(2, Buffer.alloc(100_001))],
    ['in parts or too large', clientFrame(9, Buffer.alloc(126))],
    ['a frame of type 3', clientFrame(3, Buffer.alloc(0))],
  ];
  for (const [what, bytes] of wrong)
    assert.throws(() => read(bytes, 1 << 20), { reason: 'InvalidArgument', message: new RegExp(what) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        read(Buffer.from(bytes), 7);
      } catch (error) {
        assert.ok(error instanceof StatusError);
      }
    }),
  );
});
