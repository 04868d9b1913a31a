import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseByteSize } from './byte-size.ts';

test('parseByteSize() reads sizes as Docker does', () => {
  const rows: readonly [string, number | undefined][] = [
    ['5', 5],
    ['10k', 10_240],
    ['1.5M', 1_572_864],
    ['2 GiB', 2_147_483_648],
    ['1tb', 1_099_511_627_776],
    ['', undefined],
    ['-1', undefined],
    ['1x', undefined],
    ['9999999p', undefined],
  ];
  for (const [text, bytes] of rows) assert.equal(parseByteSize(text), bytes, text);
});
