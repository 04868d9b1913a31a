import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import { parseCron } from './cron.ts';

const sorted = (values: ReadonlySet<number>): number[] => [...values].toSorted((a, b) => a - b);

const refused: Readonly<Record<string, string>> = {
  '': 'expected exactly 5 fields, found 0: []',
  '* * *': 'expected exactly 5 fields, found 3: [* * *]',
  '60 * * * *': 'end of range (60) above maximum (59): 60',
  '* * 0 * *': 'beginning of range (0) below minimum (1): 0',
  '5-3 * * * *': 'beginning of range (5) beyond end of range (3): 5-3',
  '*/0 * * * *': 'step of range should be a positive number: */0',
  '1/2/3 * * * *': 'too many slashes: 1/2/3',
  '1-2-3 * * * *': 'too many hyphens: 1-2-3',
  'x * * * *': 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
  '@often': 'unrecognized descriptor: @often',
};

describe('cron', () => {
  test('reads fields', () => {
    const cron = parseCron('*/20 1-3,22 1 Jan-MAR sun,2');
    assert.deepEqual(sorted(cron.minutes), [0, 20, 40]);
    assert.deepEqual(sorted(cron.hours), [1, 2, 3, 22]);
    assert.deepEqual(sorted(cron.daysOfMonth), [1]);
    assert.deepEqual(sorted(cron.months), [1, 2, 3]);
    assert.deepEqual(sorted(cron.daysOfWeek), [0, 2]);
    assert.equal(cron.isEitherDay, true);
    assert.equal(parseCron('0 0 1 * *').isEitherDay, false);
    assert.deepEqual(sorted(parseCron('50/5 * * * ?').minutes), [50, 55]);
    assert.deepEqual(parseCron('@daily'), parseCron('0 0 * * *'));
  });

  for (const [text, message] of Object.entries(refused)) {
    test(`refuses "${text}"`, () => assert.throws(() => parseCron(text), { message }));
  }

  test('any text is a schedule or refused', () => {
    const soup = fc.string({ unit: fc.constantFrom('*', '1', '9', '/', '-', ',', ' ', '@', 'a'), maxLength: 20 });
    fc.assert(
      fc.property(soup, (text) => {
        try {
          parseCron(text);
        } catch (error) {
          assert.equal(reasonOf(error), 'InvalidArgument');
        }
      }),
    );
  });
});
