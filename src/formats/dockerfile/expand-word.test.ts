import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { expandWord, expandWords } from './expand-word.ts';

const variables = new Map([
  ['X', 'value'],
  ['EMPTY', ''],
  ['PATH_', '/usr/local/bin/tool.tar.gz'],
  ['STAR', 'a*b'],
  ['FACE', 'a😀b😀c'],
  ['WORDS', ' one two  three '],
  ['ÄÖ', 'umlaut'],
]);

describe('expandWord', () => {
  const table: readonly (readonly [string, string])[] = [
    ['plain', 'plain'],
    ['', ''],
    ['$X', 'value'],
    ['${X}', 'value'],
    ['a$X-b', 'avalue-b'],
    ['$XY', ''],
    ['${X}Y', 'valueY'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$ X', '$ X'],
    ['$1$@$?', ''],
    ['$ÄÖ', 'umlaut'],
    [String.raw`\$X`, '$X'],
    [String.raw`\\$X`, '\\value'],
    [String.raw`a\b`, 'ab'],
    ['end\\', 'end'],
    ["'$X'", '$X'],
    ['"$X"', 'value'],
    [`"it's"`, "it's"],
    [String.raw`"\"\$\\\n"`, String.raw`"$\\n`.replace('\\\\n', '\\\\n')],
    [`'a'"b"c`, 'abc'],
    ['${X:-other}', 'value'],
    ['${NO:-other}', 'other'],
    ['${NO-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY-other}', ''],
    ['${NO:-$X}', 'value'],
    ['${NO:-${ALSO:-${X}}}', 'value'],
    ['${NO:-"quo}ted"}', 'quo}ted'],
    ['${NO:-}', ''],
    ['${X:+other}', 'other'],
    ['${X+other}', 'other'],
    ['${NO+other}', ''],
    ['${EMPTY:+other}', ''],
    ['${EMPTY+other}', 'other'],
    ['${X:?must}', 'value'],
    ['${EMPTY?must}', ''],
    ['${PATH_#*/}', 'usr/local/bin/tool.tar.gz'],
    ['${PATH_##*/}', 'tool.tar.gz'],
    ['${PATH_%.*}', '/usr/local/bin/tool.tar'],
    ['${PATH_%%.*}', '/usr/local/bin/tool'],
    ['${PATH_#nomatch}', '/usr/local/bin/tool.tar.gz'],
    ['${X#va?}', 'ue'],
    ['${X%l?e}', 'va'],
    ['${X#*}', 'value'],
    ['${X##*}', ''],
    ['${X%%*}', ''],
    [String.raw`${'${STAR#a\\*}'}`, 'b'],
    ['${FACE##*😀}', 'c'],
    ['${FACE%😀*}', 'a😀b'],
    ['${FACE#a?}', 'b😀c'],
    ['${PATH_/local/share}', '/usr/share/bin/tool.tar.gz'],
    [String.raw`${'${PATH_//\\//-}'}`, '-usr-local-bin-tool.tar.gz'],
    ['${X/l*/L}', 'vaL'],
    ['${X//[aeiou]/}', 'value'],
    ['${X/nothing/}', 'value'],
    ['${NO/a/b}', ''],
  ];
  for (const [word, expected] of table)
    test(`${word} -> ${expected}`, () => assert.equal(expandWord(word, variables), expected));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["'open", /matching single-quote/],
    ['"open', /matching double-quote/],
    ['${X', /unsupported modifier|missing '}'/],
    ['${', /missing '}'/],
    ['${}', /bad substitution/],
    ['${{X}}', /bad substitution/],
    ['${:-x}', /bad substitution/],
    ['${X:', /missing '}'/],
    ['${X:-a', /missing '}'/],
    ['${X:=a}', /unsupported modifier \(:=\)/],
    ['${X@a}', /unsupported modifier \(@\)/],
    ['${X/a', /missing '\/' in/],
    ['${X/a/b', /missing '}'/],
    ['${NO:?}', /NO: is not allowed to be unset/],
    ['${EMPTY:?}', /EMPTY: is not allowed to be empty/],
    ['${NO?set it please}', /NO: set it please/],
    [String.raw`${'${X#\\a}'}`, /invalid escape/],
  ];
  for (const [word, message] of wrong)
    test(`${word} is refused`, () =>
      assert.throws(
        () => expandWord(word, variables),
        (error) => error instanceof StatusError && error.reason === 'InvalidArgument' && message.test(error.message),
      ));

  test('the escape character can be `', () => {
    assert.equal(expandWord('`$X\\$X', variables, { escape: '`' }), '$X\\value');
    assert.equal(expandWord('"`"\\"', variables, { escape: '`' }), '"\\');
  });

  test('quotes can be ordinary characters', () => {
    assert.equal(expandWord(`it's "$X" \\$X`, variables, { literalQuotes: true }), `it's "value" $X`);
  });

  test('words are split where white space was not quoted', () => {
    assert.deepEqual(expandWords('80 $WORDS "$WORDS"', variables), ['80', 'one', 'two', 'three', ' one two  three ']);
    assert.deepEqual(expandWords(String.raw`a\ b c`, variables), ['a b', 'c']);
    assert.deepEqual(expandWords('$NO', variables), []);
  });

  test('growth, depth and effort are bounded', () => {
    const big = new Map([['B', 'b'.repeat(600_000)]]);
    assert.throws(() => expandWord('$B$B', big), { reason: 'TooLarge' });
    assert.throws(() => expandWord(`${'${A:-'.repeat(100)}x${'}'.repeat(100)}`, big), { reason: 'InvalidArgument' });
    assert.throws(() => expandWord('${B//*a*a*a*c/}', big), { reason: 'TooLarge' });
    assert.throws(() => expandWord(`\${B##${'*b'.repeat(1000)}c}`, big), { reason: 'TooLarge' });
  });

  test('any text gives text or a StatusError', () => {
    const piece = fc.constantFrom(...Array.from('${}:-+?#%/*\\\'"`XNO ab'), 'EMPTY', '😀');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, literalQuotes) => {
        try {
          const text = expandWord(pieces.join(''), variables, { literalQuotes });
          assert.equal(typeof text, 'string');
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('quoting any value keeps it', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        assert.equal(expandWord('"$V"', new Map([['V', value]])), value);
        assert.equal(expandWord(`'${value.replaceAll("'", '')}'`, variables), value.replaceAll("'", ''));
      }),
      { numRuns: 100 },
    );
  });
});
