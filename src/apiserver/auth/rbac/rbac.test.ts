import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ApiError } from '#kube/status.ts';
import type { Resource } from '#kube/resource.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';

import { authorizerChain, mastersAuthorizer } from '../authorizer-chain.ts';
import type { ResourceAttributes } from '../authorizer.ts';
import type { UserInfo } from '../user.ts';
import { rule } from './default-roles.ts';
import { checkBinding, checkRole } from './escalation.ts';
import { followRbac } from './follow-rbac.ts';
import type { PolicyRule } from './policy-rule.ts';
import { rbacAuthorizer } from './rbac-authorizer.ts';
import { RbacIndex, type RbacResource } from './rbac-index.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const jane: UserInfo = { name: 'jane', uid: '', groups: ['dev', 'system:authenticated'], extra: {} };
const robot: UserInfo = { name: 'system:serviceaccount:a:robot', uid: '', groups: [], extra: {} };

function role(name: string, rules: readonly PolicyRule[], namespace = ''): Resource {
  const kind = namespace === '' ? 'ClusterRole' : 'Role';
  return { apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }) }, rules };
}

function binding(name: string, of: string, subjects: readonly object[], namespace = ''): Resource {
  const [kind = '', roleName = ''] = of.split('/');
  return {
    apiVersion,
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
    subjects,
  };
}

function indexOf(...objects: readonly Resource[]): RbacIndex {
  const index = new RbacIndex();
  for (const object of objects) index.put(`${object.kind.toLowerCase()}s` as RbacResource, object);
  return index;
}

const pods = (user: UserInfo, namespace: string, verb = 'get'): ResourceAttributes => ({
  type: 'resource',
  user,
  verb,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace,
  name: '',
});
const group = (name: string): object => ({ kind: 'Group', name });

describe('RBAC', () => {
  test('a binding of the cluster holds everywhere, one of a namespace there', () => {
    const reader = role('reader', [rule('get', '', 'pods')]);
    const everywhere = rbacAuthorizer(indexOf(reader, binding('b', 'ClusterRole/reader', [group('dev')])));
    const there = rbacAuthorizer(indexOf(reader, binding('b', 'ClusterRole/reader', [group('dev')], 'a')));
    assert.deepEqual(everywhere.authorize(pods(jane, 'x')), {
      verdict: 'allow',
      reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to Group "dev"',
    });
    assert.deepEqual(there.authorize(pods(jane, 'a')), {
      verdict: 'allow',
      reason: 'RBAC: allowed by RoleBinding "b/a" of ClusterRole "reader" to Group "dev"',
    });
    for (const namespace of ['', 'b'])
      assert.deepEqual(there.authorize(pods(jane, namespace)), { verdict: 'no-opinion', reason: '' });
    assert.equal(everywhere.authorize(pods(jane, '')).verdict, 'allow');
    assert.equal(everywhere.authorize(pods(jane, 'x', 'list')).verdict, 'no-opinion');
  });

  test('service accounts, by their namespace or that of the binding', () => {
    const objects = [role('r', [rule('get', '', 'pods')], 'a'), binding('x', 'Role/r', [robotSubject('')], 'a')];
    const decision = rbacAuthorizer(indexOf(...objects)).authorize(pods(robot, 'a'));
    assert.equal(decision.reason, 'RBAC: allowed by RoleBinding "x/a" of Role "r" to ServiceAccount "robot/a"');
    const other = binding('x', 'Role/r', [robotSubject('b')], 'a');
    assert.equal(rbacAuthorizer(indexOf(...objects, other)).authorize(pods(robot, 'a')).verdict, 'no-opinion');
  });

  test('a role that is not there is told', () => {
    const index = indexOf(
      binding('b', 'Role/gone', [group('dev')], 'a'),
      binding('c', 'ClusterRole/off', [group('dev')]),
    );
    const { reason } = rbacAuthorizer(index).authorize(pods(jane, 'a'));
    const name = (kind: string, role: string): string => `${kind}.rbac.authorization.k8s.io "${role}" not found`;
    assert.equal(reason, `RBAC: [${name('clusterrole', 'off')}, ${name('role', 'gone')}]`);
  });

  test('changes and removals count at once', () => {
    const index = indexOf(role('r', [rule('get', '', 'pods')]), binding('b', 'ClusterRole/r', [group('dev')]));
    const verdict = (): string => rbacAuthorizer(index).authorize(pods(jane, 'a')).verdict;
    index.put('clusterrolebindings', binding('b', 'ClusterRole/r', [group('ops')]));
    assert.equal(verdict(), 'no-opinion');
    index.put('clusterrolebindings', binding('b', 'ClusterRole/r', [group('dev')]));
    assert.equal(verdict(), 'allow');
    index.put('clusterroles', role('r', []));
    assert.equal(verdict(), 'no-opinion');
    index.put('clusterroles', role('r', [rule('*', '*', '*')]));
    index.remove('clusterrolebindings', binding('b', 'ClusterRole/r', []));
    assert.equal(verdict(), 'no-opinion');
  });

  test('masters may everything, and reasons of all are told', () => {
    const chain = authorizerChain([
      mastersAuthorizer(),
      rbacAuthorizer(indexOf(binding('b', 'ClusterRole/x', [group('dev')]))),
    ]);
    assert.equal(chain.authorize(pods({ ...jane, groups: ['system:masters'] }, '')).verdict, 'allow');
    assert.match(chain.authorize(pods(jane, '')).reason, /^RBAC: clusterrole/);
  });

  test('an index follows the store', async () => {
    const objects = new MemoryObjects([role('r', [rule('get', '', 'pods')])]);
    const index = new RbacIndex();
    const controller = new AbortController();
    const ended = (error: unknown): void => assert.fail(String(error));
    await followRbac(objects, index, ended, controller.signal);
    assert.deepEqual(index.rules({ kind: 'ClusterRole', name: 'r' }, ''), [rule('get', '', 'pods')]);
    objects.remove({ group: 'rbac.authorization.k8s.io', resource: 'clusterroles' }, '', 'r');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(index.rules({ kind: 'ClusterRole', name: 'r' }, ''), undefined);
    controller.abort();
  });
});

describe('nobody grants more than he has', () => {
  const reader = role('reader', [rule('get,list', '', 'pods')]);
  const admin = role('boss', [rule('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }]);
  const write = { user: jane, resource: 'roles', namespace: 'a', name: 'new' } as const;
  const held = [reader, binding('b', 'ClusterRole/reader', [group('dev')], 'a')];

  const outcome = (index: RbacIndex, work: (index: RbacIndex) => void): string => {
    try {
      work(index);
      return 'allowed';
    } catch (error) {
      assert.ok(error instanceof ApiError);
      return error.message;
    }
  };
  const granting = (index: RbacIndex, rules: readonly PolicyRule[], isAggregated = false): string =>
    outcome(index, () => checkRole(write, rules, isAggregated, index, rbacAuthorizer(index)));
  const binds = (index: RbacIndex, kind: string, name: string): string =>
    outcome(index, () =>
      checkBinding({ ...write, resource: 'rolebindings' }, { kind, name }, index, rbacAuthorizer(index)),
    );

  test('by a role', () => {
    assert.equal(granting(indexOf(...held), [rule('get', '', 'pods')]), 'allowed');
    assert.equal(
      granting(indexOf(...held), [rule('get,delete', '', 'pods'), rule('get', 'apps', 'deployments')]),
      'roles.rbac.authorization.k8s.io "new" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting ' +
        'to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n' +
        '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}',
    );
  });

  test('by a binding', () => {
    assert.equal(binds(indexOf(...held), 'ClusterRole', 'reader'), 'allowed');
    assert.match(
      binds(indexOf(...held, admin), 'ClusterRole', 'boss'),
      /RBAC permissions not currently held:\n\{APIGroups/,
    );
    assert.equal(
      binds(indexOf(...held), 'ClusterRole', 'gone'),
      'clusterroles.rbac.authorization.k8s.io "gone" not found',
    );
  });

  test('unless the verbs bind and escalate say so', () => {
    const rights = rule('bind,escalate', 'rbac.authorization.k8s.io', 'roles,clusterroles', 'new,boss');
    const index = indexOf(role('x', [rights]), binding('y', 'ClusterRole/x', [group('dev')], 'a'), admin);
    assert.equal(granting(index, [rule('*', '*', '*')]), 'allowed');
    assert.equal(binds(index, 'ClusterRole', 'boss'), 'allowed');
  });

  test('by aggregation only who has everything', () => {
    const text =
      'roles.rbac.authorization.k8s.io "new" is forbidden: must have cluster-admin privileges to use an aggregationRule';
    assert.equal(granting(indexOf(...held), [], true), text);
    assert.equal(granting(indexOf(admin, binding('b', 'ClusterRole/boss', [group('dev')])), [], true), 'allowed');
  });
});

function robotSubject(namespace: string): object {
  return { kind: 'ServiceAccount', name: 'robot', ...(namespace === '' ? {} : { namespace }) };
}
