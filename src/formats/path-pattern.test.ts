import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import { compilePathPattern, hasWildcard } from './path-pattern.ts';

const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a', ['a'], ['b', 'aa', 'a/b', 'b/a', '']],
  ['*', ['a', 'abc', '.hidden', ''], ['a/b']],
  ['*.go', ['a.go', '.go'], ['a.goo', 'd/a.go']],
  ['a/*/c', ['a/b/c', 'a//c'], ['a/b/b/c', 'a/c']],
  ['a?c', ['abc', 'a😀c'], ['a/c', 'ac', 'abbc']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
  ['[^a-c]x', ['dx'], ['ax', '/x']],
  ['[\\]]', [']'], ['\\']],
  ['\\*', ['*'], ['a']],
  ['**', ['', 'a', 'a/b/c'], []],
  ['**/a', ['a', 'b/a', 'c/b/a'], ['ba', 'b/ba', 'a/b']],
  ['a/**', ['a/b', 'a/b/c', 'a/'], ['a', 'b/a']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'ab']],
  ['**/*.md', ['a.md', 'd/a.md'], ['a.mdx']],
  ['a**b', ['ab', 'axb', 'a/x/b'], ['ac']],
  ['***/x', ['x', 'a/x'], ['ax']],
  ['a.b', ['a.b'], ['axb']],
  ['(a|b)+', ['(a|b)+'], ['a']],
];
for (const [pattern, yes, no] of table)
  test(`pattern ${pattern}`, () => {
    const compiled = compilePathPattern(pattern);
    for (const path of yes) assert.ok(compiled.matches(path), `${path} should match`);
    for (const path of no) assert.ok(!compiled.matches(path), `${path} should not match`);
  });

test('a folder above counts when asked', () => {
  for (const pattern of ['a', 'a*', '?']) {
    const compiled = compilePathPattern(pattern);
    assert.ok(compiled.matchesOrAbove('a/b/c'), pattern);
    assert.ok(!compiled.matchesOrAbove('b1/a'), pattern);
  }
  assert.ok(compilePathPattern('**/b').matchesOrAbove('a/b/c'));
  assert.ok(!compilePathPattern('**/b').matchesOrAbove('a/bb/c'));
});

for (const pattern of ['[', '[]', '[a', '[a-', '[a-]', '[^]', 'a\\', '[a/b]', 'x'.repeat(5000)])
  test(`${pattern.slice(0, 10)} is refused`, () =>
    assert.throws(() => compilePathPattern(pattern), /syntax error in pattern/));

test('wildcards are seen, escaped ones are not', () => {
  assert.deepEqual(['a*', 'a?', '[a]', 'a', String.raw`\*`, String.raw`\\*`].map(hasWildcard), [
    true,
    true,
    true,
    false,
    false,
    true,
  ]);
});

test('many stars take linear time', () => {
  const compiled = compilePathPattern(`${'*a'.repeat(500)}b`);
  assert.ok(!compiled.matches('a'.repeat(4000)));
});

test('agrees with matchesGlob where the languages are the same', () => {
  const piece = fc.constantFrom('a', 'b', '/', '*', '?', '.');
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), path, (pieces, text) => {
      const pattern = pieces.join('');
      if (pattern.includes('**') || pattern.includes('//') || pattern.includes('.')) return;
      if (pattern.startsWith('/') || pattern.endsWith('/')) return;
      assert.equal(compilePathPattern(pattern).matches(text), posix.matchesGlob(text, pattern), `${pattern} ${text}`);
    }),
    { numRuns: 200 },
  );
});

test('any text gives a pattern or a StatusError', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, path) => {
      try {
        compilePathPattern(pattern).matchesOrAbove(path);
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});
