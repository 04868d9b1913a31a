import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { required } from '#base/assert.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import type { OwnerReference } from '#kube/resource.ts';

import { Dependents, type Node } from './dependents.ts';
import { planCollection, type OwnerState } from './plan-collection.ts';

const def = required(
  kinds.find(({ kind }) => kind === 'ConfigMap'),
  'ConfigMap',
);

function node(uid: string, more: Partial<Node> = {}): Node {
  const resource = { def, storage: undefined, conversion: undefined };
  return { resource, namespace: 'a', name: uid, uid, owners: [], finalizers: [], isDeleting: false, ...more };
}

function owner(uid: string, blockOwnerDeletion = false): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid, blockOwnerDeletion };
}

function plan(
  subject: Node,
  others: readonly Node[],
  states: Readonly<Record<string, OwnerState>> = {},
): readonly string[] {
  const graph = new Dependents();
  for (const one of [subject, ...others]) graph.put(one);
  return planCollection(subject, graph, (_, { uid }) => states[uid] ?? 'present').map((step) => {
    switch (step.step) {
      case 'delete':
        return `delete ${step.node.uid} ${step.propagation ?? ''}`.trim();
      case 'disown':
        return `disown ${step.node.uid} ${step.owners.join()}`;
      default:
        return `release ${step.node.uid} ${step.finalizer}`;
    }
  });
}

describe('planCollection', () => {
  test('what has no owners, or one that is there, is left alone', () => {
    assert.deepEqual(plan(node('x'), []), []);
    assert.deepEqual(plan(node('x', { owners: [owner('o')] }), []), []);
  });

  test('what has lost all its owners goes', () => {
    assert.deepEqual(plan(node('x', { owners: [owner('o'), owner('p')] }), [], { o: 'absent', p: 'absent' }), [
      'delete x',
    ]);
  });

  test('what has lost one of its owners forgets that one', () => {
    assert.deepEqual(plan(node('x', { owners: [owner('o'), owner('p')] }), [], { o: 'absent' }), ['disown x o']);
  });

  test('nothing goes while an owner is not known to be gone', () => {
    assert.deepEqual(plan(node('x', { owners: [owner('o')] }), [], { o: 'unknown' }), []);
  });

  test('an owner that waits has its dependents deleted, theirs before them', () => {
    const child = node('x', { owners: [owner('o', true)] });
    assert.deepEqual(plan(child, [], { o: 'waiting' }), ['delete x Background']);
    assert.deepEqual(plan(child, [node('y', { owners: [owner('x')] })], { o: 'waiting' }), ['delete x Foreground']);
  });

  test('an owner is released when nothing blocks it any more', () => {
    const waiting = node('o', { isDeleting: true, finalizers: ['foregroundDeletion'] });
    assert.deepEqual(plan(waiting, [node('x', { owners: [owner('o', true)] })]), []);
    assert.deepEqual(plan(waiting, [node('x', { owners: [owner('o')] })]), ['release o foregroundDeletion']);
    assert.deepEqual(plan(waiting, []), ['release o foregroundDeletion']);
  });

  test('orphans are disowned before their owner goes', () => {
    const leaving = node('o', { isDeleting: true, finalizers: ['orphan'] });
    assert.deepEqual(plan(leaving, [node('x', { owners: [owner('o')] })]), ['disown x o']);
    assert.deepEqual(plan(leaving, []), ['release o orphan']);
  });

  test('other finalizers are not the collector`s', () => {
    assert.deepEqual(plan(node('o', { isDeleting: true, finalizers: ['example.com/mine'] }), []), []);
  });
});
