import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { resolveUser } from './user.ts';

const database = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/sh\n#no:x:1:1::/:\nbroken\n7:x:70:70::/seven:\n',
  group: 'root:x:0:\nwheel:x:10:root,web\nweb:x:33:\ntape:x:26:web\n',
};

test('names, numbers and groups are found', () => {
  assert.deepEqual(resolveUser('', [], database), { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' });
  assert.deepEqual(resolveUser('web', [], database), {
    uid: 33,
    gid: 33,
    additionalGids: [33, 10, 26],
    home: '/var/www',
  });
  assert.deepEqual(resolveUser('33', [], database).home, '/var/www');
  assert.deepEqual(resolveUser('web:tape', [], database), {
    uid: 33,
    gid: 26,
    additionalGids: [26],
    home: '/var/www',
  });
  assert.deepEqual(resolveUser('web:99', ['tape', '500'], database).additionalGids, [99, 26, 500]);
});

test('a number without an entry is a user in group 0 without a home', () => {
  const empty = { passwd: '', group: '' };
  assert.deepEqual(resolveUser('1000', [], empty), { uid: 1000, gid: 0, additionalGids: [0], home: '/' });
  assert.deepEqual(resolveUser('1000:1000', [], empty), { uid: 1000, gid: 1000, additionalGids: [1000], home: '/' });
  assert.deepEqual(resolveUser('', [], empty), { uid: 0, gid: 0, additionalGids: [0], home: '/' });
});

test('a name of digits is a name first', () => {
  assert.equal(resolveUser('7', [], database).uid, 70);
});

test('unknown names and impossible numbers are refused', () => {
  assert.throws(() => resolveUser('nobody', [], database), /unable to find user nobody: no matching entries/);
  assert.throws(() => resolveUser('web:nobody', [], database), /unable to find group nobody/);
  assert.throws(() => resolveUser('web', ['nobody'], database), /unable to find group nobody/);
  for (const user of ['-1', '2147483648', '0:4294967295'])
    assert.throws(() => resolveUser(user, [], database), /uids and gids must be in range/);
});

test('databases of hostile images make no other errors', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (user, passwd, group) => {
      try {
        const found = resolveUser(user, [], { passwd, group });
        assert.ok(Number.isInteger(found.uid) && found.uid >= 0 && found.uid < 2 ** 31);
      } catch (error) {
        assert.equal((error as { reason?: string }).reason, 'InvalidArgument');
      }
    }),
    { numRuns: 200 },
  );
});
