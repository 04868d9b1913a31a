import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { reasonOf } from '#base/errors.ts';

import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMillis,
  quantityUnits,
  subtractQuantities,
} from './quantity.ts';

/** What upstream prints for what was written. */
const canonical: Readonly<Record<string, string>> = {
  '0': '0',
  '0Mi': '0',
  '-0': '0',
  '1000m': '1',
  '100m': '100m',
  '0.1': '100m',
  '.5': '500m',
  '5.': '5',
  '+2': '2',
  '-2k': '-2k',
  '1500': '1500',
  '1500000': '1500k',
  '1000000': '1M',
  '0.0001': '100u',
  '1n': '1n',
  '0.1n': '1n',
  '-0.1n': '-1n',
  '1024': '1024',
  '1024Ki': '1Mi',
  '1Ki': '1Ki',
  '0.5Ki': '512',
  '1.5Gi': '1536Mi',
  '0.001Ki': '1024m',
  '0.0001Ki': '102400u',
  '2.0005Ki': '2048512m',
  '100Mi': '100Mi',
  '128974848': '128974848',
  '129e6': '129e6',
  '1e3': '1e3',
  '1E3': '1e3',
  '12e-1': '1200e-3',
  '1E': '1E',
  '10E': '9223372036854775807',
  '-10E': '-9223372036854775807',
  '8Ei': '9223372036854775807',
  '1e400': '9223372036854775807e0'.replace('e0', ''),
  '1e-400': '1e-9',
};

describe('quantity', () => {
  for (const [written, printed] of Object.entries(canonical)) {
    test(`${written} is ${printed}`, () => assert.equal(canonicalQuantity(written), printed));
  }

  test('refuses what is no quantity, with words that say why', () => {
    for (const text of ['', '.', '-', 'abc', '1 ', '1..2', '1e3x', '--1', 'Ki', '1_000'])
      assert.throws(() => parseQuantity(text), /quantities must match the regular expression/, text);
    for (const text of ['1kk', '1i', '1Kii', '1e', '1k3'])
      assert.throws(() => parseQuantity(text), /unable to parse quantity's suffix/, text);
  });

  test('compares, adds and subtracts across notations', () => {
    assert.equal(compareQuantities(parseQuantity('1Gi'), parseQuantity('1G')), 1);
    assert.equal(compareQuantities(parseQuantity('1000m'), parseQuantity('1')), 0);
    assert.equal(compareQuantities(parseQuantity('1'), parseQuantity('2')), -1);
    assert.equal(formatQuantity(addQuantities(parseQuantity('1Gi'), parseQuantity('1024Mi'))), '2Gi');
    assert.equal(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Mi'))), '1Mi');
    assert.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('250m'))), '750m');
  });

  test('rounds up to units and thousandths', () => {
    assert.equal(quantityUnits(parseQuantity('1100m')), 2n);
    assert.equal(quantityUnits(parseQuantity('-1100m')), -1n);
    assert.equal(quantityUnits(parseQuantity('1Mi')), 1048576n);
    assert.equal(quantityMillis(parseQuantity('0.5')), 500n);
    assert.equal(quantityMillis(parseQuantity('1u')), 1n);
  });

  test('the canonical text is a fixed point with the same value', () => {
    const suffix = fc.constantFrom('n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e2', 'E-3');
    const written = fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(999), suffix);
    fc.assert(
      fc.property(written, ([whole, fraction, unit]) => {
        const value = parseQuantity(`${String(whole)}.${String(fraction)}${unit}`);
        const text = formatQuantity(value);
        assert.equal(canonicalQuantity(text), text);
        assert.equal(compareQuantities(parseQuantity(text), value), 0);
      }),
    );
  });

  test('any text is a quantity or refused', () => {
    const soup = fc.string({
      unit: fc.constantFrom(...'0 1 2 3 9 . + - e E i n u m k K M G T P x'.split(' ')),
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), soup), (text) => {
        try {
          parseQuantity(text);
        } catch (error) {
          assert.equal(reasonOf(error), 'InvalidArgument');
        }
      }),
    );
  });
});
