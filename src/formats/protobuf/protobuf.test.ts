import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { many, map, message, one } from './message.ts';

const inner = message({ name: one(1, 'string'), counts: many(2, 'int32') });
const outer = message({
  text: one(1, 'string'),
  raw: one(2, 'bytes'),
  flag: one(3, 'bool'),
  small: one(4, 'int32'),
  size: one(5, 'uint32'),
  big: one(6, 'int64'),
  huge: one(7, 'uint64'),
  ratio: one(8, 'double'),
  inner: one(9, inner),
  texts: many(10, 'string'),
  bigs: many(11, 'int64'),
  inners: many(16, inner),
  labels: map(17, 'string'),
  byName: map(2000, inner),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('protobuf', () => {
  test('the examples of its documentation, "Encoding"', () => {
    assert.equal(hex(encodeMessage(message({ a: one(1, 'int32') }), { a: 150 })), '089601');
    assert.equal(hex(encodeMessage(message({ b: one(2, 'string') }), { b: 'testing' })), '120774657374696e67');
    assert.equal(hex(encodeMessage(message({ f: many(6, 'int32') }), { f: [3, 270, 86942] })), '3206038e029ea705');
    const minusTwo = '08feffffffffffffffff01';
    assert.equal(hex(encodeMessage(message({ a: one(1, 'int32') }), { a: -2 })), minusTwo);
    assert.equal(decodeMessage(message({ a: one(1, 'int32') }), Buffer.from(minusTwo, 'hex')).a, -2);
    const entry = encodeMessage(message({ m: map(7, 'string') }), { m: [['a', '']] });
    assert.equal(hex(entry), '3a050a01611200');
  });

  test('nothing decodes to zero values', () => {
    const empty = decodeMessage(outer, new Uint8Array());
    assert.deepEqual([empty.text, empty.flag, empty.small, empty.big, empty.ratio], ['', false, 0, 0n, 0]);
    assert.deepEqual([empty.inner, empty.texts, empty.labels], [undefined, [], new Map()]);
    assert.equal(encodeMessage(outer, empty).length, 0);
  });

  test('unknown fields are skipped, the last one counts, lists come packed or not', () => {
    const schema = message({ a: one(1, 'int32'), list: many(6, 'int32') });
    // A varint, 64 bits, bytes, 32 bits.
    const unknown = ['1001', '190000000000000000', '220161', '2d00000000'].join('');
    const bytes = Buffer.from(`${unknown}0801${unknown}08023001300232020304`, 'hex');
    assert.deepEqual(decodeMessage(schema, bytes), { a: 2, list: [1, 2, 3, 4] });
  });

  test('text that is not UTF-8 comes back as it was', () => {
    const bytes = Buffer.from('0a03ff6180', 'hex');
    const schema = message({ name: one(1, 'string') });
    assert.deepEqual(Buffer.from(encodeMessage(schema, decodeMessage(schema, bytes))), bytes);
  });

  for (const [what, text] of [
    ['a number without an end', '08ff'],
    ['a number that is too long', '08ffffffffffffffffffffff01'],
    ['a length beyond the end', '1205'],
    ['a length of 64 bits', '12ffffffffffffffffff01'],
    ['a group', '0b0c'],
    ['the field 0', '0001'],
    ['another wire type', '0a00'],
    ['a fixed value that is cut', '39000000'],
  ] as const)
    test(`${what} is refused`, () => {
      const schema = message({ a: one(1, 'int32'), b: one(2, 'string') });
      assert.throws(
        () => decodeMessage(schema, Buffer.from(text, 'hex')),
        (error) => error instanceof StatusError && error.reason === 'InvalidArgument',
      );
    });

  const text = fc.string({ unit: 'grapheme' });
  const innerValue = fc.record(
    { name: text, counts: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })) },
    { noNullPrototype: true },
  );
  const outerValue = fc.record(
    {
      text,
      raw: fc.uint8Array(),
      flag: fc.boolean(),
      small: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      size: fc.nat(2 ** 32 - 1),
      big: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      huge: fc.bigInt(0n, 2n ** 64n - 1n),
      // Minus zero is written out, and zero is not.
      ratio: fc.double({ noNaN: true }),
      inner: fc.option(innerValue, { nil: undefined }),
      texts: fc.array(text),
      bigs: fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
      inners: fc.array(innerValue),
      labels: fc.array(fc.tuple(text, text)).map((entries) => new Map(entries)),
      byName: fc.array(fc.tuple(text, innerValue)).map((entries) => new Map(entries)),
    },
    { noNullPrototype: true },
  );

  test('what is encoded decodes to the same', () => {
    fc.assert(
      fc.property(outerValue, (value) => {
        const { raw, ...rest } = decodeMessage(outer, encodeMessage(outer, value));
        assert.deepEqual({ ...rest, raw: new Uint8Array(raw) }, value);
      }),
    );
  });

  test('nonsense is decoded or refused, never a defect', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeMessage(outer, bytes);
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
    );
  });
});
