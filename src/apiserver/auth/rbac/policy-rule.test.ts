import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import type { Attributes } from '../authorizer.ts';
import { rule } from './default-roles.ts';
import { compactRules, missingRules, ruleAllows, ruleText, type PolicyRule } from './policy-rule.ts';

const user = { name: 'jane', uid: '', groups: [], extra: {} };

/** `get apps deployments/scale name`, `get core pods`, `get /path`. */
function asked(text: string): Attributes {
  const [verb = '', where = '', what = '', name = ''] = text.split(' ');
  if (where.startsWith('/')) return { type: 'path', user, verb, path: where };
  const [resource = '', subresource = ''] = what.split('/');
  const group = where === 'core' ? '' : where;
  return { type: 'resource', user, verb, group, version: 'v1', resource, subresource, namespace: 'a', name };
}

describe('what a rule allows', () => {
  const cases: readonly (readonly [string, PolicyRule, readonly string[], readonly string[]])[] = [
    ['verbs and resources', rule('get,list', '', 'pods'), ['get core pods', 'list core pods x'], ['watch core pods']],
    ['groups', rule('get', 'apps', 'deployments'), ['get apps deployments'], ['get core deployments']],
    ['subresources apart', rule('get', '', 'pods'), [], ['get core pods/log', 'get core secrets']],
    ['a subresource', rule('get', '', 'pods/log'), ['get core pods/log'], ['get core pods', 'get core pods/exec']],
    ['a subresource of all', rule('get', '*', '*/scale'), ['get apps x/scale'], ['get apps scale', 'get apps x']],
    ['everything', rule('*', '*', '*'), ['x y z/a b'], ['get /metrics']],
    ['names', rule('get', '', 'pods', 'a,b'), ['get core pods a'], ['get core pods c', 'get core pods']],
    ['a path', { verbs: ['get'], nonResourceURLs: ['/a', '/b/*'] }, ['get /a', 'get /b/c'], ['get /b', 'post /a']],
    ['any path', { verbs: ['*'], nonResourceURLs: ['*'] }, ['get /a'], ['get core pods']],
  ];
  for (const [name, rule, allowed, refused] of cases) {
    test(name, () => {
      for (const text of allowed) assert.ok(ruleAllows(rule, asked(text)), text);
      for (const text of refused) assert.ok(!ruleAllows(rule, asked(text)), text);
    });
  }
});

describe('what is missing', () => {
  const held = [rule('get,list', '', 'pods,secrets'), rule('*', 'apps', '*'), rule('get', '', 'configmaps', 'a')];

  test('is told in single pieces and compacted for people', () => {
    const missing = missingRules(held, [
      rule('get,create,delete', '', 'pods'),
      rule('get', 'apps', 'deployments/scale'),
    ]);
    assert.deepEqual(missing, [rule('create', '', 'pods'), rule('delete', '', 'pods')]);
    const texts = compactRules(missing).map(ruleText);
    assert.deepEqual(texts, ['{APIGroups:[""], Resources:["pods"], Verbs:["create" "delete"]}']);
  });

  test('a star is covered by nothing less', () => {
    for (const wanted of [rule('*', '', 'pods'), rule('get', '*', 'pods'), rule('get', '', '*')])
      assert.deepEqual(missingRules(held, [wanted]), [wanted]);
    assert.deepEqual(missingRules(held, [rule('*', 'apps', '*')]), []);
  });

  test('all objects are more than some', () => {
    assert.equal(missingRules(held, [rule('get', '', 'configmaps')]).length, 1);
    assert.equal(missingRules(held, [rule('get', '', 'configmaps', 'a,b')]).length, 1);
    assert.equal(missingRules(held, [rule('get', '', 'pods', 'a')]).length, 0);
  });

  test('paths', () => {
    const some = [{ verbs: ['get'], nonResourceURLs: ['/a/*', '/b'] }];
    assert.deepEqual(missingRules(some, [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/a/*', '/b'] }]), []);
    const [missing] = missingRules(some, [{ verbs: ['get'], nonResourceURLs: ['*'] }]);
    assert.equal(ruleText(missing ?? assert.fail()), '{NonResourceURLs:["*"], Verbs:["get"]}');
  });

  const word = fc.constantFrom('a', 'b', '*');
  const words = fc.array(word, { minLength: 1, maxLength: 2 });
  const rules = fc.array(
    fc.record({ verbs: words, apiGroups: words, resources: words, resourceNames: fc.array(fc.constantFrom('x', 'y')) }),
    { maxLength: 3 },
  );

  test('nothing is missing exactly when whatever the wanted rules allow is allowed', () => {
    fc.assert(
      fc.property(rules, rules, (held, wanted) => {
        if (missingRules(held, wanted).length > 0) return;
        for (const verb of ['a', 'b', 'c'])
          for (const group of ['a', 'b', 'c'])
            for (const name of ['x', 'y', 'z']) {
              const attributes = asked(`${verb} ${group} a ${name}`);
              if (wanted.some((one) => ruleAllows(one, attributes)))
                assert.ok(held.some((one) => ruleAllows(one, attributes)));
            }
      }),
    );
  });

  test('nobody misses what he has', () => {
    fc.assert(fc.property(rules, (held) => assert.deepEqual(missingRules(held, held), [])));
  });
});
