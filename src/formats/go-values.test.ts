import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseGoBool, parseGoInt, parseHumanSize, parseMemorySize } from './go-values.ts';

test('values as Go reads them', () => {
  assert.equal(parseGoBool('True'), true);
  assert.equal(parseGoBool('0'), false);
  assert.equal(parseGoInt('+12'), 12);
  assert.equal(parseGoInt('-3'), -3);
  assert.equal(parseHumanSize('10m'), 10_000_000);
  assert.equal(parseHumanSize('1.5 KiB'), 1500);
  assert.equal(parseMemorySize('1.5k'), 1536);
  assert.equal(parseMemorySize('7'), 7);
});

test('other texts are refused in words of Go', () => {
  assert.throws(() => parseGoBool('yes'), { message: 'strconv.ParseBool: parsing "yes": invalid syntax' });
  assert.throws(() => parseGoInt('1.5'), { message: 'strconv.Atoi: parsing "1.5": invalid syntax' });
  assert.throws(() => parseGoInt('99999999999'), { message: /value out of range/ });
  assert.throws(() => parseHumanSize('-1'), { message: "invalid size: '-1'" });
  assert.throws(() => parseMemorySize('9999999p'), { reason: 'InvalidArgument' });
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseGoBool, parseGoInt, parseHumanSize, parseMemorySize]) {
        try {
          assert.ok(Number.isSafeInteger(Number(parse(text))));
        } catch (error) {
          assert.equal((error as { reason?: string }).reason, 'InvalidArgument');
        }
      }
    }),
  );
});
