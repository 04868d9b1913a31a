import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { eventually } from '#kit/eventually.ts';
import { MemoryObjects } from '#kit/kube-auth/memory-objects.ts';
import type { Resource } from '#kube/resource.ts';

import { authorizerChain } from '../authorizer-chain.ts';
import { rule } from './default-roles.ts';
import { followRbac } from './follow-rbac.ts';
import { rbacAuthorizer } from './rbac-authorizer.ts';
import { RbacIndex, rbacName, rulesOf } from './rbac-index.ts';
import { complete, defaultObjects, reconcileDefaults } from './reconcile-defaults.ts';
import { aggregatedRules, isAggregated, runAggregation } from './role-aggregation.ts';

const failed = (error: unknown): void => assert.fail(String(error));
const { signal } = new AbortController();

describe('default roles', () => {
  test('have names of their own and parts that RBAC knows', () => {
    const names = defaultObjects().map(([resource, { metadata }]) => `${resource} ${metadata.name ?? ''}`);
    assert.equal(new Set(names).size, names.length);
    for (const [, object] of defaultObjects()) {
      assert.equal(object.metadata.labels?.['kubernetes.io/bootstrapping'], 'rbac-defaults');
      for (const { verbs, resources = [], nonResourceURLs = [] } of rulesOf(object)) {
        assert.ok(verbs.length > 0 && resources.length + nonResourceURLs.length > 0, object.metadata.name);
        assert.ok(
          [...verbs, ...resources].every((word) => /^[a-z*][a-z/]*$|^\*$/.test(word)),
          object.metadata.name,
        );
      }
    }
  });

  test('are made once, and what was taken from them comes back', async () => {
    const objects = new MemoryObjects();
    await reconcileDefaults(objects, signal);
    const before = await objects.list(rbacName('clusterroles'), '');
    await reconcileDefaults(objects, signal);
    assert.deepEqual(await objects.list(rbacName('clusterroles'), ''), before);
    const view = before.find(({ metadata }) => metadata.name === 'system:aggregate-to-view') ?? assert.fail();
    objects.put({ ...view, rules: [rule('get', 'x', 'y')] });
    await reconcileDefaults(objects, signal);
    const mended = await objects.get(rbacName('clusterroles'), '', 'system:aggregate-to-view');
    const rules = rulesOf(mended ?? assert.fail());
    assert.deepEqual(rules[0], rule('get', 'x', 'y'));
    assert.ok(rules.length > 10);
  });

  test('subjects, rules and labels are completed, unless the owner of the cluster does not want it', () => {
    const [, wanted] = defaultObjects().find(([resource]) => resource === 'clusterrolebindings') ?? assert.fail();
    const stored: Resource = { ...wanted, subjects: [{ kind: 'User', name: 'jane' }] };
    assert.deepEqual(complete(stored, wanted)?.['subjects'], [
      { kind: 'User', name: 'jane' },
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:masters' },
    ]);
    assert.equal(complete(wanted, wanted), undefined);
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    assert.equal(complete({ ...stored, metadata: { ...stored.metadata, annotations } }, wanted), undefined);
    const bare = { ...wanted, metadata: { ...wanted.metadata, labels: { mine: 'x' } } };
    assert.deepEqual(complete(bare, wanted)?.metadata.labels, {
      mine: 'x',
      'kubernetes.io/bootstrapping': 'rbac-defaults',
    });
  });
});

describe('aggregation', () => {
  test('a role gets the rules of those it chooses, not its own', () => {
    const [view, edit] = ['view', 'edit'].map((name) =>
      defaultObjects().find(([, { metadata }]) => metadata.name === name),
    );
    assert.ok(view !== undefined && edit !== undefined && isAggregated(view[1]));
    const all = defaultObjects().map(([, object]) => object);
    const rules = aggregatedRules(view[1], all);
    assert.ok(rules.some(({ resources }) => resources?.includes('pods/log')));
    assert.ok(!rules.some(({ resources }) => resources?.includes('secrets')));
  });

  test('runs until edit and admin hold what view holds, and follows changes', async () => {
    const controller = new AbortController();
    const objects = new MemoryObjects();
    const index = new RbacIndex();
    await reconcileDefaults(objects, controller.signal);
    await followRbac(objects, index, failed, controller.signal);
    const running = runAggregation(objects, failed, controller.signal);
    const subject = { kind: 'User', name: 'jane' };
    objects.put({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace: 'a', name: 'b' },
      roleRef: { kind: 'ClusterRole', name: 'admin' },
      subjects: [subject],
    });
    const may = (verb: string, group: string, resource: string): boolean => {
      const user = { name: 'jane', uid: '', groups: [], extra: {} };
      const what = { verb, group, resource, version: 'v1', subresource: '', namespace: 'a', name: '' };
      const chain = authorizerChain([rbacAuthorizer(index)]);
      return chain.authorize({ type: 'resource', user, ...what }).verdict === 'allow';
    };
    await eventually(
      'admin holds view and edit',
      () => may('list', '', 'pods') && may('create', 'apps', 'deployments'),
    );
    assert.ok(may('create', 'rbac.authorization.k8s.io', 'roles'));
    assert.ok(!may('get', 'example.org', 'widgets'));
    objects.put({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'widgets', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [rule('get', 'example.org', 'widgets')],
    });
    await eventually('admin holds the new rules', () => may('get', 'example.org', 'widgets'));
    controller.abort();
    await running;
  });
});
