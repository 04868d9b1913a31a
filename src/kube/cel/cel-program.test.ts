import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';

import { celProgram } from './cel-program.ts';

const object = {
  metadata: { name: 'web', labels: { app: 'web' }, 'dashed-key': 1 },
  spec: {
    replicas: 3,
    ratio: 0.5,
    containers: [
      { name: 'a', image: 'r/a:1', ports: [80, 443] },
      { name: 'b', image: 'r/b' },
    ],
  },
};

function value(expression: string, variables: Record<string, unknown> = { object }): unknown {
  return celProgram(expression).evaluate(variables);
}

describe('expressions', () => {
  const rows: readonly (readonly [string, unknown])[] = [
    ['object.spec.replicas <= 5', true],
    ['object.spec.replicas + 1', 4n],
    ['object.spec.ratio < 1.0', true],
    ['has(object.spec.paused)', false],
    ['has(object.metadata.labels) && object.metadata.labels["app"] == "web"', true],
    ["'app' in object.metadata.labels", true],
    ['object.spec.containers.all(c, c.image.startsWith("r/"))', true],
    ['object.spec.containers.exists(c, has(c.ports) && c.ports.exists(p, p == 443))', true],
    ['object.spec.containers.map(c, c.name).join("-")', 'a-b'],
    ['object.spec.containers.filter(c, c.image.contains(":")).size()', 1n],
    ['object.metadata.?annotations["x"].orValue("none")', 'none'],
    ['oldObject == null || object.spec.replicas >= oldObject.spec.replicas', true],
    ['object.metadata.name.matches("^w[a-z]+$")', true],
    ['quantity("1Gi").isGreaterThan(quantity("500Mi"))', true],
    ['quantity("1500m").isInteger() || quantity("2").asInteger() == 2', true],
    ['quantity("1").add(quantity("500m")).compareTo(quantity("1500m"))', 0n],
    ['isQuantity("1Gi") && !isQuantity("x")', true],
    ['isIP("10.0.0.1") && isCIDR("10.0.0.0/8") && cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['url("https://[::1]:8080/a?b").getHostname() + url("https://a.b/c").getEscapedPath()', '::1/c'],
    ['[1, 2, 3].sum() == 6 && [1, 2].isSorted() && [3, 1].min() == 1 && [3, 1].max() == 3', true],
    ['[1, 2, 1].lastIndexOf(1) - [1, 2].indexOf(2)', 1n],
    ['"a1b22".find("[0-9]+") + "a1b22".findAll("[0-9]+").join("")', '1122'],
    ['"a.b".replace(".", "$&") + "abc".charAt(1)', 'a$&bb'],
  ];
  for (const [expression, expected] of rows)
    test(expression, () => assert.deepEqual(value(expression, { object, oldObject: null }), expected));
});

describe('what does not work', () => {
  const refused = (words: RegExp) => (error: unknown) =>
    error instanceof StatusError && error.reason === 'InvalidArgument' && words.test(error.message);

  test('is told with the expression', () => {
    assert.throws(() => celProgram('object.spec.'), refused(/^Cannot compile CEL expression "object.spec."/));
    assert.throws(() => celProgram('x'.repeat(20_000)), refused(/more than 16384 characters/));
    assert.throws(() => value('object.spec.missing > 1'), refused(/^Cannot evaluate CEL expression/));
    assert.throws(() => value('quantity("x")'), refused(/quantities must match/));
  });

  test('loops within loops over much are refused before they begin', () => {
    const list = Array.from({ length: 1001 }, (_, index) => index);
    assert.equal(value('object.all(a, object.exists(b, a == b))', { object: list.slice(0, 50) }), true);
    assert.throws(
      () => value('object.all(a, object.all(b, a != b + 5000))', { object: list }),
      refused(/cost limit exceeded/),
    );
    assert.equal(value('object.all(a, a >= 0)', { object: list }), true);
  });

  test('any text is compiled or refused, never something else', () => {
    const words = fc.constantFrom(
      'object',
      '.',
      'spec',
      '(',
      ')',
      '[',
      ']',
      '"a"',
      '1',
      '&&',
      '?',
      ':',
      'all',
      ',',
      'x',
      '!',
      '-',
      'has',
      '{',
      '}',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words, { maxLength: 12 }).map((all) => all.join(' ')),
        ),
        (expression) => {
          try {
            value(expression);
          } catch (error) {
            assert.ok(refused(/^Cannot (compile|evaluate) CEL/)(error), String(error));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
