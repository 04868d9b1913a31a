import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { compileIgnoreRules, parseDockerignore } from './dockerignore.ts';

const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', [], ['a']],
  ['# a comment\na', ['a', 'a/b'], ['b', '# a comment']],
  ['/a/', ['a', 'a/b'], ['b/a']],
  ['./a/../b', ['b'], ['a']],
  ['*', ['a', 'a/b', '.git'], []],
  ['*.md\n!README.md', ['a.md'], ['README.md', 'd/a.md']],
  ['*.md\n!README*.md\nREADME-secret.md', ['x.md', 'README-secret.md'], ['README.md', 'README-x.md']],
  ['*.md\nREADME-secret.md\n!README*.md', ['x.md'], ['README.md', 'README-secret.md']],
  ['**/node_modules', ['node_modules', 'a/node_modules/b'], ['node_modules2']],
  ['*/temp*', ['a/temp', 'a/temporary.txt', 'a/temp/x'], ['temp', 'a/b/temp']],
  ['*\n!src\nsrc/*.log', ['a', 'src/x.log'], ['src', 'src/a.c', 'src/d/x.log']],
  ['  spaced  \r\n! a\n', ['spaced'], ['a']],
  ['.', [], ['a', '.']],
  ['\ufeffa', ['a'], ['b']],
];
for (const [text, ignored, kept] of table)
  test(`rules ${JSON.stringify(text)}`, () => {
    const rules = parseDockerignore(text);
    for (const path of ignored) assert.ok(rules.ignores(path), `${path} should be ignored`);
    for (const path of kept) assert.ok(!rules.ignores(path), `${path} should be kept`);
  });

test('folders are looked into when something in them may be taken back', () => {
  const rules = parseDockerignore('a\nb\nc\n!a/keep\n!*/any');
  assert.ok(rules.mayTakeBack('a'));
  assert.ok(rules.mayTakeBack('b'), 'because of */any');
  const plain = parseDockerignore('a\nb\n!a/d/keep');
  assert.deepEqual(
    ['a', 'a/d', 'a/e', 'b'].map((folder) => plain.mayTakeBack(folder)),
    [true, true, false, false],
  );
  assert.ok(parseDockerignore('*\n!**/keep').mayTakeBack('x/y'));
});

test('what is wrong is refused', () => {
  assert.throws(() => parseDockerignore('!'), /illegal exclusion pattern/);
  assert.throws(() => parseDockerignore('[a'), /syntax error in pattern/);
  assert.throws(() => compileIgnoreRules(Array.from({ length: 10_001 }, () => 'a')), { reason: 'TooLarge' });
});

test('never takes back less than it promises, and never throws anything else', () => {
  const part = fc.constantFrom('a', 'b', '*', '**', 'a*', '?');
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([again, parts]) => (again ? '!' : '') + parts.join('/'));
  const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), path, (patterns, parts) => {
      const rules = compileIgnoreRules(patterns);
      const full = parts.join('/');
      const folder = parts.slice(0, -1).join('/');
      if (rules.ignores(folder) && !rules.ignores(full)) assert.ok(rules.mayTakeBack(folder), patterns.join('\n'));
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, path) => {
      try {
        parseDockerignore(text).ignores(path);
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});
