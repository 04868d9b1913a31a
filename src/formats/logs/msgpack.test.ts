import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { decodeMsgpack, encodeMsgpack, MsgpackExtension, type MsgpackValue } from './msgpack.ts';

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ maxLength: 300 }),
  fc.integer({ min: -(2 ** 53), max: 2 ** 53 }),
);
const value: fc.Arbitrary<MsgpackValue> = fc.letrec<{ any: MsgpackValue }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('any'), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie('any'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).any;

test('known encodings (msgpack specification)', () => {
  const hex = (one: MsgpackValue): string => encodeMsgpack(one).toString('hex');
  assert.equal(hex(['a', 7, { b: true }]), '93a1610781a162c3');
  assert.equal(hex(-1), 'ff');
  assert.equal(hex(1_700_000_000), 'ce6553f100');
  assert.equal(hex(2 ** 40), 'd30000010000000000');
  assert.equal(hex(null), 'c0');
  assert.equal(hex('x'.repeat(40)), `d928${'78'.repeat(40)}`);
  assert.equal(hex('x'.repeat(300)), `da012c${'78'.repeat(300)}`);
  assert.equal(encodeMsgpack('x'.repeat(70_000)).subarray(0, 5).toString('hex'), 'db00011170');
  assert.equal(hex(Buffer.from([0xff, 0xfe])), 'a2fffe');
  assert.equal(hex(new MsgpackExtension(0, Buffer.alloc(8, 1))), `d700${'01'.repeat(8)}`);
  assert.equal(hex(new MsgpackExtension(5, Buffer.alloc(3, 1))), 'c70305010101');
});

test('what was encoded is decoded, and any part of it is incomplete', () => {
  fc.assert(
    fc.property(value, fc.nat(), (one, cut) => {
      const bytes = encodeMsgpack(one);
      const decoded = decodeMsgpack(Buffer.concat([bytes, Buffer.from('rest')]));
      assert.deepEqual(decoded, { value: one, sizeBytes: bytes.length });
      assert.equal(decodeMsgpack(bytes.subarray(0, cut % bytes.length)), undefined);
    }),
  );
});

test('foreign bytes are a value, incomplete or Damaged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeMsgpack(Buffer.from(bytes));
      } catch (error) {
        assert.match(String(error), /Cannot read msgpack/);
      }
    }),
  );
  assert.throws(() => decodeMsgpack(Buffer.alloc(40, 0x91)), { reason: 'Damaged' });
  assert.throws(() => decodeMsgpack(Buffer.from('810102', 'hex')), { reason: 'Damaged' });
  assert.deepEqual(decodeMsgpack(Buffer.from('d0ff', 'hex'))?.value, -1);
  assert.deepEqual(decodeMsgpack(Buffer.from('c401ab', 'hex'))?.value, Buffer.from([0xab]));
  assert.deepEqual(decodeMsgpack(Buffer.from('cf0000000000000007', 'hex'))?.value, 7);
});
