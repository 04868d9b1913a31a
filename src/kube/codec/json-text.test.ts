import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import * as fc from 'fast-check';

import { NumberLiteral, parseJson, plainValue } from './json-text.ts';

describe('JSON', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(plainValue(parseJson(text).value), JSON.parse(text));
      }),
    );
  });

  test('text that is no JSON is refused exactly where JSON.parse refuses it', () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '0',
      '.',
      'e',
      '\\',
      '\\u00',
      'null',
      'tru',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        try {
          parseJson(text);
          assert.ok(isJson(text), text);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          assert.ok(!isJson(text), text);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps the text of numbers that JavaScript would change', () => {
    const { value } = parseJson('[1.0, 1e3, 12345678901234567890, 12]');
    assert.ok(Array.isArray(value));
    const [fraction, exponent, long, plain] = value as unknown[];
    assert.ok(fraction instanceof NumberLiteral && exponent instanceof NumberLiteral && long instanceof NumberLiteral);
    assert.deepEqual([fraction.text, exponent.text, long.text, plain], ['1.0', '1e3', '12345678901234567890', 12]);
  });

  test('notes names that are there twice', () => {
    const { value, duplicates } = parseJson('{"a":{"b":1,"b":2},"c":1}');
    assert.deepEqual([...(duplicates.get((value as { a: object }).a) ?? [])], ['b']);
    assert.equal(duplicates.size, 1);
  });

  test('has names that are special in JavaScript as fields', () => {
    const { value } = parseJson('{"__proto__":{"a":1},"constructor":2}');
    assert.deepEqual(Object.keys(value as object), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(JSON.stringify(plainValue(value)), '{"__proto__":{"a":1},"constructor":2}');
  });

  test('half of a surrogate pair becomes the replacement character', () => {
    assert.equal(parseJson(String.raw`"\ud83d\ude00 \ud83d x \ude00"`).value, '😀 \ufffd x \ufffd');
  });

  for (const [text, message] of [
    ['', 'unexpected end of JSON input'],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['"a\nb"', String.raw`invalid character '\n' in string literal`],
    [String.raw`"\x"`, "invalid character 'x' in string escape code"],
    [String.raw`"\u12g4"`, String.raw`invalid character 'g' in \u hexadecimal character escape`],
    ['-', 'unexpected end of JSON input'],
    ['1.', 'unexpected end of JSON input'],
    ["'a'", String.raw`invalid character '\'' looking for beginning of value`],
  ] as const)
    test(`${JSON.stringify(text)} is refused in Go's words`, () => {
      assert.throws(() => parseJson(text), { name: 'StatusError', message });
    });
});
