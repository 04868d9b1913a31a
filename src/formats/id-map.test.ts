import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { encodeRanges, type IdMap, ownerInside, ownerOutside, subordinateRanges, withHostRoot } from './id-map.ts';

const subuid = '# comment\njoe:100000:65536\n1000:400000:10\nroot:1:2\njoe:300000:1000\n';

const map: IdMap = {
  uids: subordinateRanges(subuid, ['joe', '1000']),
  gids: [{ inside: 0, outside: 500, count: 10 }],
};

test('ranges of a user follow each other, by name and by number', () => {
  assert.equal(encodeRanges(map.uids), '0 100000 65536\n65536 400000 10\n65546 300000 1000\n');
  assert.deepEqual(subordinateRanges(subuid, ['nobody']), []);
});

test('broken ranges are refused, and so is root of the host', () => {
  for (const line of ['joe:1', 'joe:a:1', 'joe:-1:5', 'joe:0:5', 'joe:5:0', 'joe:4294967290:10'])
    assert.throws(() => subordinateRanges(line, ['joe']), /not name:first:count/, line);
  const many = Array.from({ length: 341 }, (_, index) => `joe:${String(1 + index)}:1`).join('\n');
  assert.throws(() => subordinateRanges(many, ['joe']), /more than 340/);
});

test('owners are translated, and are nobody without a row', () => {
  assert.deepEqual(ownerOutside(map, { uid: 0, gid: 9 }), { uid: 100_000, gid: 509 });
  assert.deepEqual(ownerOutside(map, { uid: 65_540, gid: 10 }), { uid: 400_004, gid: 65_534 });
  assert.deepEqual(ownerInside(map, { uid: 300_999, gid: 500 }), { uid: 66_545, gid: 0 });
  assert.deepEqual(ownerInside(map, { uid: 0, gid: 0 }), { uid: 65_534, gid: 65_534 });
});

test('for mounts there is an owner behind all others who is root of the host', () => {
  const wide = withHostRoot(map);
  assert.deepEqual(ownerInside(wide, { uid: 0, gid: 0 }), { uid: 66_546, gid: 10 });
  assert.deepEqual(wide.gids.at(-1), { inside: 10, outside: 0, count: 1 });
});

test('what goes out comes back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 66_545 }), fc.integer({ min: 0, max: 9 }), (uid, gid) => {
      assert.deepEqual(ownerInside(map, ownerOutside(map, { uid, gid })), { uid, gid });
    }),
  );
});

test('any text is read or refused in words', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return subordinateRanges(text, [text.split(':')[0] ?? '']).length <= 340;
      } catch (error) {
        return error instanceof Error && /subordinate IDs/.test(error.message);
      }
    }),
  );
});
