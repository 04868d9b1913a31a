import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withRepeated } from './repeated-headers.ts';

test('lines of impersonation stay apart, others are as they were', () => {
  const headers = { accept: 'a, b', 'impersonate-group': 'dev, a, b', 'impersonate-extra-x': '1, 2' };
  const raw = [
    'Accept',
    'a, b',
    'Impersonate-Group',
    'dev',
    'impersonate-group',
    'a, b',
    'Impersonate-Extra-X',
    '1, 2',
  ];
  assert.deepEqual(withRepeated(headers, raw), {
    accept: 'a, b',
    'impersonate-group': ['dev', 'a, b'],
    'impersonate-extra-x': ['1, 2'],
  });
  const plain = { accept: 'a' };
  assert.equal(withRepeated(plain, ['Accept', 'a']), plain);
});
