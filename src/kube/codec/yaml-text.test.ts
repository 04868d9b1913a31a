import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import * as fc from 'fast-check';

import { plainValue } from './json-text.ts';
import { parseYaml } from './yaml-text.ts';

const read = (text: string): unknown => plainValue(parseYaml(text).value);

describe('YAML', () => {
  for (const [text, value] of [
    ['yes', true],
    ['Off', false],
    ['n', false],
    ['~', null],
    ['', null],
    ['0777', 511],
    ['0o17', 15],
    ['0x1F', 31],
    ['0b11', 3],
    ['1_000', 1000],
    ['08', 8],
    ['-1.5e3', -1500],
    ['1:30', '1:30'],
    ['2026-01-02', '2026-01-02'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['"yes"', 'yes'],
    ['!!str 1', '1'],
    ['!!binary aGk=', 'hi'],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['.inf', '.inf'],
    ['|\n  a\n  b\n', 'a\nb\n'],
  ] as const)
    test(`${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(read(text), value);
    });

  test('has names as text', () => {
    assert.deepEqual(read('1: a\nyes: b\n"x": c\n'), { 1: 'a', true: 'b', x: 'c' });
  });

  test('anchors are told apart from themselves, and maps are merged', () => {
    assert.deepEqual(read('a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n'), { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } });
    assert.deepEqual(read('a: &x [1]\nb: *x'), { a: [1], b: [1] });
  });

  test('repeated names are told with their lines', () => {
    const { value, strictError } = parseYaml('a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n');
    assert.deepEqual(value, { a: 3, b: 2, c: { d: 2 } });
    assert.equal(
      strictError,
      'yaml: unmarshal errors:\n  line 3: key "a" already set in map\n  line 4: key "d" already set in map',
    );
  });

  for (const [text, pattern] of [
    ['a: b: c', /^error converting YAML to JSON: yaml: line 1: /],
    ['a: *nothing', /unknown anchor|Unresolved alias/i],
    ['&a [*a]', /value contains itself/],
    ['{[1]: 2}', /no scalar/],
    ['<<: 1', /map merge requires/],
  ] as const)
    test(`${text} is refused`, () => {
      assert.throws(
        () => parseYaml(text),
        (error) => error instanceof StatusError && pattern.test(error.message),
      );
    });

  test('an alias is the node that had the anchor last before it, also where it is read again', () => {
    const text = ['t: &t [&a 1, *a]', 'b: &a 2', 'c: *t', 'd: *a', 'e: *t', 'f: *a'].join('\n');
    assert.deepEqual(parseYaml(text).value, { t: [1, 1], b: 2, c: [1, 1], d: 2, e: [1, 1], f: 2 });
  });

  test('many anchors and aliases take no longer than as many other words', () => {
    const lines = Array.from({ length: 8000 }, (_, index) => `x${String(index)}: &a${String(index)} 1`);
    const uses = Array.from({ length: 8000 }, (_, index) => `y${String(index)}: *a${String(index)}`);
    const { value } = parseYaml([...lines, ...uses].join('\n'));
    assert.equal((value as Record<string, unknown>)['y7999'], 1);
  });

  test('aliases do not multiply without end', () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let index = 1; index < 10; index += 1) {
      const before = `*a${String(index - 1)}`;
      lines.push(`a${String(index)}: &a${String(index)} [${Array.from({ length: 10 }, () => before).join(',')}]`);
    }
    assert.throws(() => parseYaml(lines.join('\n')), /excessive aliasing/);
  });

  test('has a bound that JSON has not', () => {
    const items = Array.from({ length: 60_000 }, () => 'abc');
    assert.throws(() => parseYaml(`- ${items.join('\n- ')}`), /at most 262144 are read; send JSON/);
    assert.deepEqual(read(JSON.stringify(items)), items);
    assert.throws(() => parseYaml('['.repeat(20_000)), /exceeded max depth/);
  });

  test('JSON is YAML', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: true }), (value) => {
        assert.deepEqual(read(JSON.stringify(value)), JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 200 },
    );
  });

  test('nonsense is refused, or is a value', () => {
    const fragment = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '[',
      ']',
      '{',
      '}',
      '&x',
      '*x',
      '!',
      '|',
      '"',
      '#',
      ',',
      '?',
      '<<',
      '%',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 30 }), (parts) => {
        try {
          parseYaml(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof StatusError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
