import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { StatusError } from '#base/errors.ts';
import { namePattern } from './name-pattern.ts';

describe('name patterns', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['web', 'my-web-1', true],
    ['^web', 'my-web-1', false],
    ['^/web$', '/web', true],
    ['^/web$', '/web2', false],
    ['w.b', 'wib', true],
    ['^(a|bc)+$', 'abcbca', true],
    ['^(a|bc)+$', 'abcb', false],
    ['^(?:x)?y$', 'y', true],
    ['^[a-c]*-[^0-9]$', 'abcab-x', true],
    ['^[a-c]*-[^0-9]$', 'abcab-1', false],
    [String.raw`^\d+\.\w$`, '123.z', true],
    [String.raw`^\d+\.\w$`, '123xz', false],
    ['', 'anything', true],
    ['a**', 'b', true],
    ['^[]a]$', ']', true],
    ['^$', '', true],
  ];
  for (const [pattern, text, expected] of cases) {
    test(`"${pattern}" ${expected ? 'matches' : 'does not match'} "${text}"`, () =>
      assert.equal(namePattern(pattern)(text), expected));
  }

  for (const bad of ['(', ')', '[', 'a{2}', '*a', String.raw`\b`, '\\', '(?=a)', 'x'.repeat(513), '('.repeat(100)]) {
    test(`refuses ${bad.slice(0, 20)}`, () => assert.throws(() => namePattern(bad), { reason: 'InvalidArgument' }));
  }

  test('takes no time for patterns that would take others for ever', () => {
    assert.equal(namePattern('^(a+)+$')(`${'a'.repeat(5000)}!`), false);
    assert.equal(namePattern('(a|a|aa)*b')('a'.repeat(5000)), false);
  });

  test('agrees with JavaScript where both know the pattern', () => {
    const atoms = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab)', '^', '$', '|');
    const pattern = fc
      .array(fc.tuple(atoms, fc.constantFrom('', '', '*', '+', '?')), { maxLength: 6 })
      .map((parts) =>
        parts.map(([atom, repeat]) => (/[$^|]/.test(atom) && atom.length === 1 ? atom : atom + repeat)).join(''),
      );
    fc.assert(
      fc.property(pattern, fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }), (source, letters) => {
        const text = letters.join('');
        assert.equal(namePattern(source)(text), new RegExp(source).test(text), source);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('any text is a pattern or is refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (pattern, text) => {
        try {
          namePattern(pattern)(text);
        } catch (error) {
          assert.ok(error instanceof StatusError);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
