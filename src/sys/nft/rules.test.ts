import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { nestedAttribute, encodeAttributes, textAttribute } from '../netlink/attributes.ts';
import { acceptingRule, decodeChain, decodeRule } from './rules.ts';

const inet = Buffer.of(1, 0, 0, 0);
const place = { family: 'inet', table: 'firewalld', chain: 'filter_FORWARD' } as const;

test('a chain is read with its hook and policy, and one of another family is left out', () => {
  const hook = nestedAttribute(4, [
    { type: 1, value: Buffer.of(0, 0, 0, 2) },
    { type: 2, value: Buffer.of(0, 0, 0, 10) },
  ]);
  const names = [textAttribute(1, 'filter'), textAttribute(3, 'FORWARD')];
  const policy = { type: 5, value: Buffer.of(0, 0, 0, 0) };
  const body = encodeAttributes([...names, hook, policy, textAttribute(7, 'filter')]);
  const chain = { table: 'filter', chain: 'FORWARD', hook: 2, policy: 'drop', type: 'filter' };
  assert.deepEqual(decodeChain(Buffer.concat([Buffer.of(2, 0, 0, 0), body])), { family: 'ip', ...chain });
  assert.equal(decodeChain(Buffer.concat([Buffer.of(7, 0, 0, 0), body])), undefined, 'bridge');
  const plain = decodeChain(Buffer.concat([inet, encodeAttributes(names)]));
  assert.deepEqual([plain?.hook, plain?.policy, plain?.type], [undefined, undefined, '']);
});

test('a rule of ours is read back with its comment, and refuses nothing', () => {
  const { payload } = acceptingRule(place, 'iifname', 'slipway0', 'slipway: from slipway0');
  const handle = { type: 3, value: Buffer.of(0, 0, 0, 0, 0, 0, 0, 9) };
  const rule = decodeRule(Buffer.concat([payload, encodeAttributes([handle])]));
  assert.deepEqual(rule, { handle: 9n, comment: 'slipway: from slipway0', refusesAll: false });
  assert.equal(decodeRule(payload), undefined, 'without a handle it is none');
});

test('only a rule that matches all and refuses counts as refusing all', () => {
  const drop = expression('immediate', nestedAttribute(2, [nestedAttribute(2, [be32(1, 0)])]));
  const accept = expression('immediate', nestedAttribute(2, [nestedAttribute(2, [be32(1, 1)])]));
  const [counter, match, reject] = [expression('counter'), expression('match'), expression('reject')];
  const cases = [
    [[counter, drop], true],
    [[expression('log'), counter, reject], true],
    [[expression('target', textAttribute(1, 'REJECT'))], true],
    [[expression('target', textAttribute(1, 'DNAT'))], false],
    [[counter, accept], false],
    [[match, drop], false],
    [[counter], false],
    [[], false],
  ] as const;
  for (const [index, [expressions, expected]] of cases.entries()) {
    const attributes = [{ type: 3, value: Buffer.alloc(8) }, nestedAttribute(4, expressions)];
    const rule = decodeRule(Buffer.concat([inet, encodeAttributes(attributes)]));
    assert.equal(rule?.refusesAll, expected, String(index));
  }
});

test('no bytes hurt', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      decodeChain(Buffer.concat([inet, bytes]));
      const handle = { type: 3, value: Buffer.alloc(8) };
      const lists = [handle, { type: 4, value: bytes }, { type: 7, value: bytes }];
      assert.ok(decodeRule(Buffer.concat([inet, encodeAttributes(lists)])));
    }),
    { numRuns: 200 },
  );
});

function expression(name: string, ...data: Parameters<typeof nestedAttribute>[1]): ReturnType<typeof nestedAttribute> {
  return nestedAttribute(1, [textAttribute(1, name), nestedAttribute(2, data)]);
}

function be32(type: number, value: number): { readonly type: number; readonly value: Uint8Array } {
  return { type, value: Buffer.of(0, 0, 0, value) };
}
