import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { expandWord } from '#formats/dockerfile/expand-word.ts';

const variables: Readonly<Record<string, string>> = {
  A: 'abcabc',
  P: '/usr/local/lib.tar.gz',
  E: '',
  S: 'one two',
};

/** `${A#*b}` and the like, alone, nested, in quotes: the part of the language that a POSIX shell has too. */
const name = fc.constantFrom('A', 'P', 'E', 'S', 'NO');
const glob = fc
  .array(fc.constantFrom('a', 'b', 'c', '.', 'l', '*', '?'), { maxLength: 4 })
  .map((parts) => parts.join(''));
const trim = fc.tuple(name, fc.constantFrom('#', '##', '%', '%%'), glob).map(([n, o, g]) => `\${${n}${o}${g}}`);
const plain = fc.constantFrom('x', '.', '-', '_', '/', '$A', '${P}', '$NO', '$E');
const choice = fc
  .tuple(name, fc.constantFrom(':-', '-', ':+', '+'), fc.oneof(plain, trim))
  .map(([n, o, word]) => `\${${n}${o}${word}}`);
const single = fc.constantFrom("'$A'", "'a b'", "''", `'"'`);
const double = fc.array(
  fc.oneof(plain, choice, fc.constantFrom(' ', "'", String.raw`\"`, String.raw`\$`, String.raw`\\`)),
  { maxLength: 4 },
);
const word = fc
  .array(
    fc.oneof(
      plain,
      trim,
      choice,
      single,
      double.map((parts) => `"${parts.join('')}"`),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join(''));

test('words mean what they mean to a shell', () => {
  const words = fc.sample(word, 400);
  // Assignments do not split words, just as a single word of a Dockerfile.
  const script = words.map((text) => `W=${text}\nprintf '%s\\036' "$W"`).join('\n');
  const output = execFileSync('/bin/sh', ['-c', script], { env: { ...variables }, encoding: 'utf8' });
  const expected = output.split('\u001e').slice(0, -1);
  assert.equal(expected.length, words.length);
  const known = new Map(Object.entries(variables));
  for (const [index, text] of words.entries()) {
    let found: string;
    try {
      found = expandWord(text, known);
    } catch (error) {
      assert.ok(error instanceof StatusError);
      found = error.message;
    }
    assert.equal(found, expected[index], text);
  }
});
