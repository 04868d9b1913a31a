import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { costMost, costOf, costShape, sizeOf } from './cost.ts';
import { celEnvironment } from './environment.ts';
import { parseExpression } from './parse-expression.ts';

const environment = celEnvironment(['self']);
const run = (text: string, self: unknown = {}): unknown => parseExpression(environment, text)({ self }) as unknown;

describe('CEL has the functions of Kubernetes', () => {
  for (const [text, value] of [
    ['quantity("1Gi").isGreaterThan(quantity("1000M"))', true],
    ['quantity("500m").compareTo(quantity("0.5"))', 0n],
    ['quantity("1k").add(quantity("1")).asInteger()', 1001n],
    ['quantity("2").sub(1).asApproximateFloat()', 1],
    ['isQuantity("1Gi") && !isQuantity("lots")', true],
    ['quantity("1") == quantity("1000m")', true],
    ['ip("10.0.0.1").family()', 4n],
    ['isIP("::1") && !isIP("1")', true],
    ['ip("127.0.0.1").isLoopback()', true],
    ['ip("8.8.8.8").isGlobalUnicast()', true],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['cidr("10.0.0.0/8").containsCIDR(cidr("10.1.0.0/16"))', true],
    ['cidr("10.0.0.0/8").prefixLength()', 8n],
    ['isCIDR("10.0.0.0/33")', false],
    ['url("https://a.example:8080/b?c=d").getHost()', 'a.example:8080'],
    ['url("https://a.example/b?c=d&c=e").getQuery()["c"]', ['d', 'e']],
    ['isURL("https://a") && !isURL("a b")', true],
    ['[1, 2, 2].isSorted() && ![2, 1].isSorted()', true],
    ['[1, 2, 3].sum()', 6n],
    ['[3, 1, 2].min() + [3, 1, 2].max()', 4n],
    ['["a", "b", "a"].indexOf("b") + ["a", "b", "a"].lastIndexOf("a")', 3n],
    ['sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])', true],
    ['math.greatest(1, 5, 3) - math.least(1, 5)', 4n],
    ['math.abs(-2) + math.sign(-7)', 1n],
    ['math.ceil(1.2)', 2],
    ['"abc".charAt(1)', 'b'],
    ['"a-b-c".replace("-", "+")', 'a+b+c'],
    ['"a-b-c".replace("-", "+", 1)', 'a+b-c'],
    ['"abc".reverse()', 'cba'],
    ['"a1b22".find("[0-9]+")', '1'],
    ['"a1b22".findAll("[0-9]+")', ['1', '22']],
    ['"a1b22".findAll("[0-9]+", 1)', ['1']],
    ['"%s is %d, %.2f %x%%".format(["a", 3, 1.5, 255])', 'a is 3, 1.50 ff%'],
    ['"%s".format([[1, "a", {"k": true}]])', '[1, a, {k: true}]'],
    ['format.dns1123Label().validate("Not a label").hasValue()', true],
    ['format.date().validate("2026-01-01").hasValue()', false],
    ['[].sum()', 0n],
  ] as const)
    test(text, () => {
      assert.deepEqual(run(text), value);
    });

  for (const text of [
    'ip("x")',
    'cidr("x")',
    'url(":")',
    'quantity("lots")',
    '[].min()',
    '"a".charAt(5)',
    '"%d".format([])',
    '"a".find("(")',
  ])
    test(`${text} is an error`, () => {
      assert.throws(() => run(text));
    });

  test('a search that goes back and forth ends', () => {
    assert.equal(run('self.matches("^(a+)+$")', `${'a'.repeat(60)}b`), false);
    assert.equal(run('[self].all(x, x.matches("^(\\\\p{L}+)+$"))', `${'\u00e9'.repeat(60)}1`), false);
    assert.throws(() => run('self.matches("(a)\\\\1")', ''), /error parsing regexp: invalid escape sequence/);
  });
});

describe('the cost of an expression', () => {
  const shape = (text: string) => costShape(environment.parse(text).ast);

  test('grows with loops within loops', () => {
    assert.equal(shape('self.a == 1').loopDepth, 0);
    assert.equal(shape('self.a.all(x, self.b.exists(y, x == y))').loopDepth, 2);
    const flat = shape('self.a.all(x, x > 0) && self.b.all(y, y > 0)');
    assert.ok(costOf(flat, 1000) < costMost);
    assert.ok(costOf(shape('self.all(x, self.all(y, self.all(z, x == y + z)))'), 1000) > costMost);
  });

  test('grows with the value', () => {
    assert.ok(sizeOf({ a: [1, 2, 3] }) > sizeOf({ a: [1] }));
    assert.ok(sizeOf('x'.repeat(3200)) > 100);
    assert.equal(
      sizeOf(
        Array.from({ length: 100 }, () => 0),
        10,
      ),
      10,
    );
  });
});
