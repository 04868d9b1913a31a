import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import {
  decodeAttributes,
  encodeAttributes,
  nestedAttribute,
  readText,
  readU32,
  readU8,
  textAttribute,
  u32Attribute,
  u8Attribute,
} from './attributes.ts';
import { decodeFlow } from './conntrack.ts';
import { decodeInterfaceAddress } from './interface-address.ts';
import { decodeLink } from './link.ts';
import { decodeMessages, decodeOutcome, encodeMessage, messageFlags, messageTypes } from './message.ts';
import { decodeNeighbour } from './neighbour.ts';
import { decodeRoute } from './route.ts';

const attribute = fc.record({ type: fc.integer({ min: 1, max: 0x3fff }), value: fc.uint8Array({ maxLength: 40 }) });

test('attributes survive the way to bytes and back', () => {
  const lists = fc.uniqueArray(attribute, { selector: ({ type }) => type });
  fc.assert(
    fc.property(lists, (list) => {
      const decoded = decodeAttributes(encodeAttributes(list));
      assert.equal(decoded.size, list.length);
      for (const { type, value } of list) assert.deepEqual(Uint8Array.from(decoded.get(type) ?? []), value);
    }),
    { numRuns: 200 },
  );
});

test('values are padded to four bytes, nested lists carry their flag, and lookups ignore it', () => {
  const bytes = encodeAttributes([
    u8Attribute(1, 7),
    nestedAttribute(2, [u32Attribute(3, 9), textAttribute(4, 'eth0')]),
  ]);
  assert.equal(bytes.toString('hex'), '0500010007000000180002800800030009000000090004006574683000000000');
  const decoded = decodeAttributes(bytes);
  const nested = decodeAttributes(decoded.get(2) ?? new Uint8Array());
  assert.equal(readU8(decoded.get(1)), 7);
  assert.equal(readU32(nested.get(3)), 9);
  assert.equal(readText(nested.get(4)), 'eth0');
});

test('readers answer for what is missing or short', () => {
  assert.equal(readText(undefined), '');
  assert.equal(readU32(undefined), undefined);
  assert.equal(readU32(Buffer.from([1, 2])), undefined);
  assert.equal(readU8(Buffer.alloc(0)), undefined);
});

test('messages survive the way to bytes and back', () => {
  const shape = {
    type: fc.integer({ min: 0, max: 0xffff }),
    flags: fc.integer({ min: 0, max: 0xffff }),
    sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  };
  const message = fc.record(shape, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
      assert.deepEqual(decodeMessages(Buffer.concat(messages.map(encodeMessage))), messages);
    }),
    { numRuns: 200 },
  );
});

test('no bytes hurt a decoder', () => {
  const decodeFlow4 = (payload: Buffer): unknown => decodeFlow(payload, 4);
  const decoders = [decodeLink, decodeRoute, decodeInterfaceAddress, decodeNeighbour, decodeFlow4];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const payload = Buffer.from(bytes);
      decodeAttributes(bytes);
      for (const decode of decoders) decode(payload);
      for (const message of decodeMessages(payload)) decodeOutcome(message);
    }),
    { numRuns: 200 },
  );
});

test('an error carries its number and the explanation of the kernel, behind a request whole or capped', () => {
  const detail = encodeAttributes([textAttribute(1, 'Device does not exist')]);
  const code = Buffer.alloc(4);
  code.writeInt32LE(-19);
  const request = encodeMessage({ type: 16, flags: 0, sequence: 1, payload: Buffer.alloc(6) });
  const whole = { type: messageTypes.error, flags: messageFlags.extendedAcknowledge, sequence: 1 };
  const capped = { ...whole, flags: whole.flags | messageFlags.cappedRequest };
  const expected = { errno: 19, detail: 'Device does not exist' };
  assert.deepEqual(decodeOutcome({ ...whole, payload: Buffer.concat([code, request, detail]) }), expected);
  assert.deepEqual(
    decodeOutcome({ ...capped, payload: Buffer.concat([code, request.subarray(0, 16), detail]) }),
    expected,
  );
  assert.deepEqual(decodeOutcome({ ...whole, flags: 0, payload: code }), { errno: 19, detail: '' });
  assert.deepEqual(decodeOutcome({ ...whole, payload: Buffer.alloc(0) }), { errno: 0, detail: '' });
});
