import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatAddress } from '#formats/ip-address.ts';

import { type Attribute, encodeAttributes, nestedAttribute, u8Attribute } from './attributes.ts';
import { decodeFlow } from './conntrack.ts';

test('a redirected flow is read: where it went, and who answers', () => {
  const payload = flow([10, 0, 0, 1, 192, 0, 2, 1], 8053, [172, 17, 0, 2, 10, 0, 0, 1], 40_000);
  const found = decodeFlow(payload, 4);
  assert.ok(found);
  assert.deepEqual(
    [found.protocol, formatAddress(found.destination), found.destinationPort, formatAddress(found.replySource)],
    [17, '192.0.2.1', 8053, '172.17.0.2'],
  );
  assert.equal(decodeFlow(payload, 6), undefined, 'of another family');
});

test('a flow without ports is none for us', () => {
  const bare = encodeAttributes([nestedAttribute(1, [addresses([10, 0, 0, 1, 10, 0, 0, 2])])]);
  assert.equal(decodeFlow(Buffer.concat([Buffer.alloc(4), bare]), 4), undefined);
  assert.equal(decodeFlow(Buffer.alloc(0), 4), undefined);
});

function flow(original: readonly number[], port: number, reply: readonly number[], replyPort: number): Buffer {
  const list = [nestedAttribute(1, tuple(original, port)), nestedAttribute(2, tuple(reply, replyPort))];
  return Buffer.concat([Buffer.alloc(4), encodeAttributes(list)]);
}

function tuple(bytes: readonly number[], port: number): readonly Attribute[] {
  const value = Buffer.of(port >> 8, port & 0xff);
  return [addresses(bytes), nestedAttribute(2, [u8Attribute(1, 17), { type: 3, value }])];
}

function addresses(bytes: readonly number[]): Attribute {
  return nestedAttribute(1, [
    { type: 1, value: Uint8Array.from(bytes.slice(0, 4)) },
    { type: 2, value: Uint8Array.from(bytes.slice(4)) },
  ]);
}
