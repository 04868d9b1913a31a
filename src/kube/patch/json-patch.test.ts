import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { ApiError } from '../status.ts';
import { applyJsonPatch } from './json-patch.ts';

const refused = 'the server rejected our request due to an error in our request: ';

describe('JSON patch', () => {
  const fits: readonly (readonly [string, Record<string, unknown>, unknown[], unknown])[] = [
    ['adds a field', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['adds over a field', { a: 1 }, [{ op: 'add', path: '/a', value: [2] }], { a: [2] }],
    ['inserts', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['inserts at the end', { a: [1] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2] }],
    ['appends', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['counts from the end', { a: [1, 2, 3] }, [{ op: 'remove', path: '/a/-1' }], { a: [1, 2] }],
    ['inserts counting from the end', { a: [1, 2] }, [{ op: 'add', path: '/a/-1', value: 3 }], { a: [1, 2, 3] }],
    ['adds null', {}, [{ op: 'add', path: '/a', value: null }], { a: null }],
    ['adds null for no value', {}, [{ op: 'add', path: '/a' }], { a: null }],
    ['removes a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes an item', { a: [1, 2] }, [{ op: 'remove', path: '/a/0' }], { a: [2] }],
    ['replaces a field', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 'x' }], { a: { b: 'x' } }],
    ['replaces null', { a: null }, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }],
    ['replaces an item', { a: [1, 2] }, [{ op: 'replace', path: '/a/1', value: 9 }], { a: [1, 9] }],
    ['moves', { a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
    ['moves in a list', { a: [1, 2, 3] }, [{ op: 'move', from: '/a/0', path: '/a/2' }], { a: [2, 3, 1] }],
    ['copies', { a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
    ['tests', { a: [{ b: 1, c: 2 }] }, [{ op: 'test', path: '/a/0', value: { c: 2, b: 1 } }], { a: [{ b: 1, c: 2 }] }],
    ['tests that nothing is there', {}, [{ op: 'test', path: '/a', value: null }], {}],
    ['reads ~1 as a slash', { 'a/b': 1 }, [{ op: 'remove', path: '/a~1b' }], {}],
    ['reads ~0 as a tilde', { 'a~b': 1 }, [{ op: 'remove', path: '/a~0b' }], {}],
    ['reads ~01 as ~1', { 'a~1b': 1 }, [{ op: 'remove', path: '/a~01b' }], {}],
    ['takes an empty key', { '': { '': 1 } }, [{ op: 'replace', path: '//', value: 2 }], { '': { '': 2 } }],
  ];
  for (const [name, document, patch, expected] of fits) {
    test(name, () => assert.deepEqual(applyJsonPatch(document, patch), expected));
  }

  const misfits: readonly (readonly [Record<string, unknown>, unknown, string])[] = [
    [{}, { op: 'test', path: '/a', value: 1 }, 'testing value /a failed: test failed'],
    [{ a: 1 }, { op: 'test', path: '/a' }, 'testing value /a failed: test failed'],
    [{}, { op: 'test', path: '/a/b', value: 1 }, 'test operation does not apply: is missing path: /a/b: missing value'],
    [
      {},
      { op: 'add', path: '/a/b', value: 1 },
      'add operation does not apply: doc is missing path: "/a/b": missing value',
    ],
    [{}, { op: 'add', path: '', value: {} }, 'add operation does not apply: doc is missing path: "": missing value'],
    [
      {},
      { op: 'remove', path: '/a' },
      "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
    ],
    [
      { a: 'x' },
      { op: 'remove', path: '/a/b' },
      'remove operation does not apply: doc is missing path: "/a/b": missing value',
    ],
    [
      {},
      { op: 'replace', path: '/a', value: 1 },
      'replace operation does not apply: doc is missing key: /a: missing value',
    ],
    [
      { a: [1] },
      { op: 'replace', path: '/a/1' },
      'replace operation does not apply: doc is missing key: /a/1: missing value',
    ],
    [
      { a: [1] },
      { op: 'add', path: '/a/2', value: 1 },
      "error in add for path: '/a/2': Unable to access invalid index: 2: invalid index referenced",
    ],
    [
      { a: [1] },
      { op: 'add', path: '/a/x', value: 1 },
      `error in add for path: '/a/x': value was not a proper array index: 'x': strconv.Atoi: parsing "x": invalid syntax`,
    ],
    [
      { a: [1] },
      { op: 'remove', path: '/a/-2' },
      "error in remove for path: '/a/-2': Unable to access invalid index: -2: invalid index referenced",
    ],
    [
      {},
      { op: 'move', path: '/a' },
      'move operation failed to decode from: operation, missing from field: missing value',
    ],
    [{ a: 1 }, { op: 'remove' }, 'remove operation failed to decode path: missing value'],
    [{}, { op: 'insert', path: '/a' }, 'Unexpected kind: insert'],
    [{}, { path: '/a' }, 'Unexpected kind: unknown'],
    [{}, { op: 'copy', from: '/a', path: '/b' }, "error in copy for from: '/a': missing value"],
  ];
  for (const [document, operation, message] of misfits) {
    test(`refuses: ${message}`, () => {
      assert.throws(
        () => applyJsonPatch(document, [operation]),
        (error) => error instanceof ApiError && error.code === 422 && error.message === refused + message,
      );
    });
  }

  test('takes 10,000 operations, not more', () => {
    const operations = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/a', value: 1 }));
    assert.deepEqual(applyJsonPatch({}, operations), { a: 1 });
    assert.throws(() => applyJsonPatch({}, [...operations, operations[0]]), {
      statusReason: 'RequestEntityTooLarge',
      message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
    });
  });

  test('copies 3 MiB together at most', () => {
    const double = { op: 'copy', from: '/a', path: '/a/-' };
    assert.throws(
      () =>
        applyJsonPatch(
          { a: ['x'.repeat(1000)] },
          Array.from({ length: 20 }, () => double),
        ),
      {
        message: /accumulated size increase of copy is \d+, exceeding the limit 3145728/,
      },
    );
  });

  test('wants a list of objects', () => {
    for (const patch of [{}, null, 'x', [1], [null]]) assert.throws(() => applyJsonPatch({}, patch), { code: 400 });
  });

  test('leaves the document and the patch alone', () => {
    const document = { a: { b: [1] } };
    const value = { c: 1 };
    const result = applyJsonPatch(document, [
      { op: 'add', path: '/a/b/-', value },
      { op: 'add', path: '/a/b/1/d', value: 2 },
      { op: 'copy', from: '/a', path: '/e' },
      { op: 'remove', path: '/e/b' },
    ]);
    assert.deepEqual([document, value], [{ a: { b: [1] } }, { c: 1 }]);
    assert.deepEqual(result, { a: { b: [1, { c: 1, d: 2 }] }, e: {} });
  });

  test('treats __proto__ as a key like others', () => {
    const result = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { x: 1 } }]);
    assert.equal(JSON.stringify(result), '{"__proto__":{"x":1}}');
    assert.equal(result['x'], undefined);
    assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/x', value: 1 }]), { code: 422 });
  });

  test('any patch gives JSON or one of its errors', () => {
    const part = fc.constantFrom('', 'a', 'b', '0', '1', '-', '-1', '~0', '~2', '__proto__', 'length');
    const path = fc.array(part, { maxLength: 4 }).map((parts) => parts.map((one) => `/${one}`).join(''));
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path,
        from: path,
        value: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const document = fc.dictionary(part, fc.jsonValue());
    fc.assert(
      fc.property(document, fc.array(operation, { maxLength: 5 }), (start, patch) => {
        try {
          const result = applyJsonPatch(start, patch);
          assert.deepEqual(JSON.parse(JSON.stringify(result)), JSON.parse(JSON.stringify(result)));
        } catch (error) {
          assert.ok(error instanceof ApiError, String(error));
        }
      }),
    );
  });
});
