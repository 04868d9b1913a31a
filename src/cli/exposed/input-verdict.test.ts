import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { inputVerdict, type InputVerdict, type Knock } from './input-verdict.ts';

const web: Knock = { family: 4, protocol: 'tcp', port: 8080 };
const place = { family: 'inet', table: 'fw' };
const chain = (name: string, policy: string, more: object = {}): object => ({
  chain: { ...place, name, policy, hook: 'input', type: 'filter', ...more },
});
const rule = (name: string, ...expr: readonly object[]): object => ({ rule: { ...place, chain: name, expr } });
const dport = (right: unknown, protocol = 'tcp'): object => ({
  match: { op: '==', left: { payload: { protocol, field: 'dport' } }, right },
});
const [accept, drop] = [{ accept: null }, { drop: null }];

const cases: readonly (readonly [string, readonly object[], InputVerdict | undefined])[] = [
  ['no input chain is no firewall', [{ chain: { ...place, name: 'f', hook: 'forward', type: 'filter' } }], undefined],
  ['a policy decides what no rule does', [chain('in', 'drop')], sure(false)],
  ['one of another family does not count', [chain('in', 'drop', { family: 'ip6' })], undefined],
  ['a port is let in', [chain('in', 'drop'), rule('in', dport(8080), accept)], sure(true)],
  ['by a set', [chain('in', 'drop'), rule('in', dport({ set: [22, { range: [8000, 9000] }] }), accept)], sure(true)],
  ['of its own protocol', [chain('in', 'drop'), rule('in', dport(8080, 'udp'), accept)], sure(false)],
  [
    'established connections and the loopback are others',
    [
      chain('in', 'drop'),
      rule('in', { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } }, accept),
      rule('in', { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lo' } }, accept),
    ],
    sure(false),
  ],
  [
    'a last rule refuses as well as a policy',
    [chain('in', 'accept'), rule('in', { counter: {} }, { reject: { type: 'icmpx' } })],
    sure(false),
  ],
  [
    'jumps are followed, and come back',
    [
      chain('in', 'drop'),
      rule('in', { jump: { target: 'user' } }),
      rule('in', dport(8080), accept),
      rule('user', dport(22), accept),
      rule('user', { return: null }),
      rule('user', drop),
    ],
    sure(true),
  ],
  [
    'what cannot be read makes it unsure, if it would decide otherwise',
    [chain('in', 'drop'), rule('in', { xt: { type: 'match', name: 'recent' } }, accept)],
    { letsIn: false, isSure: false },
  ],
  [
    'and does not if it would decide the same',
    [chain('in', 'drop'), rule('in', { xt: { type: 'match', name: 'recent' } }, drop)],
    sure(false),
  ],
  [
    'also behind a jump',
    [
      chain('in', 'drop'),
      rule(
        'in',
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@lan' } },
        {
          jump: { target: 'user' },
        },
      ),
      rule('user', dport(8080), accept),
    ],
    { letsIn: false, isSure: false },
  ],
  ['any chain can refuse', [chain('one', 'accept'), chain('two', 'drop')], sure(false)],
  ['a loop ends', [chain('in', 'drop'), rule('in', { jump: { target: 'in' } })], sure(false)],
];

for (const [name, objects, expected] of cases) {
  test(name, () => assert.deepEqual(inputVerdict([{ metainfo: {} }, ...objects], web), expected));
}

test('no JSON hurts', () => {
  const word = fc.constantFrom('chain', 'rule', 'expr', 'match', 'left', 'right', 'meta', 'hook', 'input', 'jump');
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(null, 'input', 'filter', 5, true),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any;
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (objects) => {
      const verdict = inputVerdict([chain('in', 'drop'), ...objects], web);
      assert.equal(typeof verdict?.letsIn, 'boolean');
    }),
    { numRuns: 200 },
  );
});

function sure(letsIn: boolean): InputVerdict {
  return { letsIn, isSure: true };
}
