import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkName, inventName } from './names.ts';

test("names follow Docker's pattern", () => {
  assert.equal(checkName('/web-1.a_b'), 'web-1.a_b');
  assert.equal(checkName('ab'), 'ab');
  for (const name of ['', '/', 'a', '-web', 'we b', 'wéb', '../x', 'a/b', 'web\n'])
    assert.throws(() => checkName(name), { reason: 'InvalidArgument' }, JSON.stringify(name));
});

test('made-up names are valid, and not taken', () => {
  const taken = new Set<string>();
  for (let count = 0; count < 300; count += 1) {
    const name = inventName((one) => taken.has(one));
    assert.ok(!taken.has(name));
    assert.equal(checkName(name), name);
    taken.add(name);
  }
  let asked = 0;
  const name = inventName(() => (asked += 1) <= 25);
  assert.match(name, /^[a-z]+_[a-z]+\d+$/);
});
