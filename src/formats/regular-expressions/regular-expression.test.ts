import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { RegularExpression } from './regular-expression.ts';

/** Expression, text, what matches first (undefined: nothing), groups. */
const rows: readonly (readonly [string, string, string | undefined, ...(string | undefined)[]])[] = [
  ['a(b|bc)(c|)d', 'xabcd', 'abcd', 'b', 'c'],
  ['(a|b(c))*d', 'xxababcd', 'abcd', 'bc', 'c'],
  ['(a*)*', 'b', '', ''],
  ['(a|)+?x', 'aax', 'aax', 'a'],
  ['(?U)a+(a)', 'aaa', 'aa', 'a'],
  ['(?U)a+?', 'aaa', 'aaa'],
  ['a{2,3}', 'aaaa', 'aaa'],
  ['a{2}', 'a', undefined],
  ['a{,2}', 'a{,2}', 'a{,2}'],
  ['x{0}y', 'xy', 'y'],
  ['^$', '', ''],
  ['a$', 'a\n', undefined],
  ['(?m)^b$', 'a\nb\nc', 'b'],
  ['(?s).+', 'a\nb', 'a\nb'],
  ['.+', 'a\nb', 'a'],
  [String.raw`\Aa\z`, 'a', 'a'],
  [String.raw`\bfoo\b`, 'a foo.', 'foo'],
  [String.raw`\Boo`, 'foo', 'oo'],
  ['(?i)STRASSE', 'strasse', 'strasse'],
  ['(?i)k', '\u212a', '\u212a'],
  ['(?i)[^k]', '\u212aK', undefined],
  ['a(?i)b(?-i)c', 'aBc', 'aBc'],
  ['(?i:a)b', 'AB', undefined],
  ['[]a]+', ']a', ']a'],
  ['[^]a]+', ']ab', 'b'],
  ['[a-]+', 'a-b', 'a-'],
  [String.raw`[\d\-x]+`, 'a1-x', '1-x'],
  ['[[:^alpha:]_]+', 'abc12_', '12_'],
  [String.raw`\p{Greek}+`, 'ab\u03b3\u03b4', '\u03b3\u03b4'],
  [String.raw`\pL\PN`, '1a2bc', 'bc'],
  [String.raw`\P{^Lu}`, 'aB', 'B'],
  [String.raw`\x41\x{1F4A9}\101\a\Q.*\E`, 'A\u{1f4a9}A\u0007.*', 'A\u{1f4a9}A\u0007.*'],
  ['.', '\u{1f4a9}', '\u{1f4a9}'],
  ['(?P<year>[0-9]{4})-(?<month>[0-9]{2})', 'on 2026-01', '2026-01', '2026', '01'],
  ['|a', 'a', ''],
];

/** In the words of regexp/syntax. */
const faults: Readonly<Record<string, string>> = {
  '(': 'missing closing ): `(`',
  'a)': 'unexpected ): `a)`',
  'a**': 'invalid nested repetition operator: `**`',
  'x{2}{3}': 'invalid nested repetition operator: `{2}{3}`',
  '*': 'missing argument to repetition operator: `*`',
  '(|+)': 'missing argument to repetition operator: `+`',
  '[a': 'missing closing ]: `[a`',
  '[b-a]': 'invalid character class range: `b-a`',
  '[[:foo:]]': 'invalid character class range: `[:foo:]`',
  [String.raw`\p{Foo}`]: String.raw`invalid character class range: ` + '`\\p{Foo}`',
  [String.raw`(a)\1`]: 'invalid escape sequence: `\\1`',
  '\\': 'trailing backslash at end of expression: ``',
  'a{2,1}': 'invalid repeat count: `{2,1}`',
  'a{1001}': 'invalid repeat count: `{1001}`',
  '(a{100}){100}': 'invalid repeat count: `{100}`',
  '(?P<n': 'invalid named capture: `(?P<n`',
  '(?P<>a)': 'invalid named capture: `(?P<>`',
  '(?=a)': 'invalid or unsupported Perl syntax: `(?=`',
  '(?z)': 'invalid or unsupported Perl syntax: `(?z`',
};

describe('regular expressions of Go', () => {
  for (const [source, text, match, ...groups] of rows)
    test(`${source} in ${JSON.stringify(text)}`, () => {
      const expression = new RegularExpression(source);
      const found = expression.find(text);
      assert.equal(found?.text, match);
      assert.equal(expression.test(text), match !== undefined);
      if (groups.length > 0) assert.deepEqual(found?.groups.slice(1), groups);
    });

  for (const [source, fault] of Object.entries(faults))
    test(`${source} is none`, () =>
      assert.throws(() => new RegularExpression(source), {
        reason: 'InvalidArgument',
        message: `error parsing regexp: ${fault}`,
      }));

  test('names of groups are known by number', () => {
    assert.deepEqual(new RegularExpression('(?P<a>x)(y)(?<b>z)').groupNames, [undefined, 'a', undefined, 'b']);
  });

  test('all matches, of which an empty one does not follow another', () => {
    const all = (source: string, text: string, most?: number): readonly string[] =>
      new RegularExpression(source).findAll(text, most).map((match) => match.text);
    assert.deepEqual(all('a*', 'baaac'), ['', 'aaa', '']);
    assert.deepEqual(all('a', 'aaa', 2), ['a', 'a']);
    assert.deepEqual(all(String.raw`\ba`, 'aa a'), ['a', 'a']);
    assert.deepEqual(all('', '\u{1f4a9}'), ['', '']);
  });

  test('what backtracks for ever elsewhere ends: at once, or by the bound', () => {
    assert.equal(new RegularExpression('^(a+)+$').test(`${'a'.repeat(100_000)}!`), false);
    assert.equal(new RegularExpression(String.raw`^(\p{L}+)+$`).test(`${'\u00e9'.repeat(100_000)}!`), false);
    assert.equal(new RegularExpression('(a?){50}a{50}').find('a'.repeat(50))?.end, 50);
    const text = Array.from({ length: 100_000 }, (_, index) => 'abxy'[((index * 2_654_435_761) >>> 7) % 4]).join('');
    assert.throws(() => new RegularExpression('(.{500}x|.{400}y)z').find(text), { reason: 'TooLarge' });
    assert.throws(() => new RegularExpression('((.{30}){30}a)(.{900}b)'.repeat(40)), /expression too large/);
    assert.throws(() => new RegularExpression('('.repeat(5000)), /expression nests too deeply/);
  });
});

const letters = fc.constantFrom('a', 'b', 'c', 'A', '\n', ' ', '1', '_', '\u00e9', '\u{1f4a9}');
const text = fc.array(letters, { maxLength: 12 }).map((parts) => parts.join(''));
/** What Go and JavaScript (in its Unicode mode) mean the same by; empty repetitions are where they differ. */
const { expression } = fc.letrec<{ expression: string; atom: string; part: string }>((tie) => ({
  atom: fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '\\d', '\\w', '\\b', '^', '$', '\\n', '[a-c1]', '\\u{e9}'),
  part: fc.oneof(
    { weight: 4, arbitrary: tie('atom') },
    fc
      .tuple(
        fc.constantFrom('a', 'b', '.', '[ab]', '\\w'),
        fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}'),
      )
      .map((both) => both.join('')),
    tie('expression').map((inside) => `(${inside})`),
    tie('expression').map((inside) => `(?:x(?:${inside}))*`),
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    fc.tuple(tie('part'), tie('part')).map((both) => both.join('|')),
  ),
}));

test('matches and groups are those of JavaScript where the syntax is shared', () => {
  fc.assert(
    fc.property(expression, text, fc.constantFrom('', 'i', 's', 'm'), (source, subject, flag) => {
      const theirs = new RegExp(source, `u${flag}`).exec(subject);
      const goSource = (flag === '' ? '' : `(?${flag})`) + source.replaceAll('\\u{', '\\x{');
      const own = new RegularExpression(goSource);
      assert.equal(own.test(subject), theirs !== null);
      const found = own.find(subject);
      assert.equal(found?.start, theirs?.index);
      assert.deepEqual(found?.groups[0], theirs?.[0]);
      // JavaScript forgets groups inside of a repetition with each round, Go does not.
      if (!source.includes(')*')) assert.deepEqual(found?.groups, theirs === null ? undefined : [...theirs]);
    }),
    { numRuns: 3000 },
  );
});

test('any text is an expression or refused in the words of Go', () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.constantFrom(...Array.from('()[]{}*+?|\\^$.-:,1a2pPLxQE<>i')), { maxLength: 20 })
        .map((all) => all.join('')),
      (source) => {
        try {
          new RegularExpression(source).test('a1 ba');
        } catch (error) {
          assert.match(String(error), /error parsing regexp: /);
        }
      },
    ),
    { numRuns: 3000 },
  );
});
