import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync, inflateSync, constants } from 'node:zlib';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { headerDictionary, headerDictionaryId } from './header-dictionary.ts';
import { encodeData, encodePing, encodeReply, encodeReset, readHeaders, SpdyReader } from './spdy-frames.ts';

test('the dictionary is the one of the specification, and replies are a zlib stream by it', () => {
  const dictionary = headerDictionary();
  assert.equal(deflateSync('x', { dictionary }).readUInt32BE(2), headerDictionaryId);
  const blocks = [encodeReply(1, true), encodeReply(3, false)].map((frame) => frame.subarray(12));
  const options = { dictionary, finishFlush: constants.Z_SYNC_FLUSH };
  assert.deepEqual(inflateSync(Buffer.concat(blocks), options), Buffer.alloc(8));
});

test('frames come out whole, however they are cut into pieces', () => {
  const bytes = Buffer.concat([
    encodeData(7, Buffer.from('hello'), false),
    encodePing(9),
    encodeReset(7, 5),
    encodeData(7, Buffer.alloc(0), true),
    encodeReply(7, true),
  ]);
  for (const pieceBytes of [1, 3, 1000]) {
    const reader = new SpdyReader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += pieceBytes)
      frames.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
    assert.deepEqual(frames, [
      { type: 'data', streamId: 7, isLast: false, data: Buffer.from('hello') },
      { type: 'ping', id: 9 },
      { type: 'reset', streamId: 7 },
      { type: 'data', streamId: 7, isLast: true, data: Buffer.alloc(0) },
      { type: 'other' },
    ]);
  }
});

test('foreign bytes are refused, and nothing else is ever thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      for (const read of [() => new SpdyReader().push(Buffer.from(bytes)), () => readHeaders(Buffer.from(bytes))])
        try {
          read();
        } catch (error) {
          assert.ok(error instanceof StatusError);
        }
    }),
  );
  const block = Buffer.from('\0\0\0\x01\0\0\0\x04Port\0\0\0\x0280');
  assert.deepEqual([...readHeaders(block)], [['port', '80']]);
});
