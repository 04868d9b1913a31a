import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseChallenges } from './www-authenticate.ts';

function plain(field: string): readonly (readonly [string, Record<string, string>])[] {
  return parseChallenges(field).map((one) => [one.scheme, Object.fromEntries(one.parameters)]);
}

test('challenges are read as registries send them', () => {
  const rows: readonly (readonly [field: string, expected: ReturnType<typeof plain>])[] = [
    ['', []],
    ['Basic', [['basic', {}]]],
    ['Basic realm="the registry"', [['basic', { realm: 'the registry' }]]],
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          { realm: 'https://auth.example/token', service: 'registry.example', scope: 'repository:a/b:pull,push' },
        ],
      ],
    ],
    ['bEaReR Realm = "r" , ERROR=insufficient_scope', [['bearer', { realm: 'r', error: 'insufficient_scope' }]]],
    [
      'Negotiate, Basic realm="a, b=c", Bearer realm="x\\"y"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a, b=c' }],
        ['bearer', { realm: 'x"y' }],
      ],
    ],
    [
      'Negotiate YIIabc==, Basic realm="a"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    ['Bearer realm="never closed', [['bearer', {}]]],
    [`Basic realm="${'a'.repeat(9000)}"`, []],
  ];
  for (const [field, expected] of rows) assert.deepEqual(plain(field), expected, field);
});

test('written challenges are read back', () => {
  const name = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
  const challenge = fc.tuple(
    fc.constantFrom('basic', 'bearer', 'negotiate'),
    fc.dictionary(name, fc.string({ maxLength: 20 }), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  );
  fc.assert(
    fc.property(fc.array(challenge, { maxLength: 3 }), (challenges) => {
      const quote = (value: string): string => `"${value.replace(/["\\]/g, String.raw`\$&`)}"`;
      const field = challenges
        .map(
          ([scheme, fields]) =>
            `${scheme} ${Object.entries(fields)
              .map(([key, value]) => `${key}=${quote(value)}`)
              .join(',')}`,
        )
        .join(', ');
      assert.deepEqual(plain(field), challenges);
    }),
    { numRuns: 200 },
  );
});

test('no text throws', () => {
  const alphabet = fc.constantFrom(...Array.from('aB=",\\ \t;/\u0000é'));
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 60 }), (field) => {
      for (const one of parseChallenges(field)) assert.equal(one.scheme, one.scheme.toLowerCase());
    }),
    { numRuns: 200 },
  );
});
