import type { OwnerReference } from '#kube/resource.ts';

import type { Dependents, Node } from './dependents.ts';

/** What is to be done with one object. */
export type Step =
  /** Its owners are gone. */
  | { readonly step: 'delete'; readonly node: Node; readonly propagation: 'Background' | 'Foreground' | undefined }
  /** Some of its owners are gone, others are not. */
  | { readonly step: 'disown'; readonly node: Node; readonly owners: readonly string[] }
  /** It waited for its dependents, of which none is left that blocks it. */
  | { readonly step: 'release'; readonly node: Node; readonly finalizer: string };

/**
 * Whether an owner is there: `absent` only when that is certain. An owner of another namespace, or of a kind that is not
 * served, does not exist for its dependents or is not known.
 */
export type OwnerState = 'present' | 'waiting' | 'absent' | 'unknown';

/**
 * What follows from what is known, for one object (garbagecollector.go attemptToDeleteItem, processDeletingDependentsItem,
 * orphanDependents). Pure: the world is asked by `stateOf`.
 */
export function planCollection(
  node: Node,
  graph: Dependents,
  stateOf: (node: Node, owner: OwnerReference) => OwnerState,
): readonly Step[] {
  if (node.isDeleting) return planDeleting(node, graph);
  if (node.owners.length === 0) return [];
  const states = node.owners.map((owner) => ({ owner, state: stateOf(node, owner) }));
  if (states.some(({ state }) => state === 'unknown')) return [];
  const gone = states.filter(({ state }) => state === 'absent');
  const waiting = states.filter(({ state }) => state === 'waiting');
  const present = states.filter(({ state }) => state === 'present');
  if (present.length > 0) {
    const owners = [...gone, ...waiting].map(({ owner }) => owner.uid);
    return owners.length === 0 ? [] : [{ step: 'disown', node, owners }];
  }
  if (waiting.length > 0) {
    const hasDependents = graph.of(node.uid).length > 0;
    return [{ step: 'delete', node, propagation: hasDependents ? 'Foreground' : 'Background' }];
  }
  return [{ step: 'delete', node, propagation: undefined }];
}

/** An object that waits for the collector: its dependents go first, or are left alone. */
function planDeleting(node: Node, graph: Dependents): readonly Step[] {
  if (node.finalizers.includes('orphan')) {
    const dependents = graph.of(node.uid);
    if (dependents.length === 0) return [{ step: 'release', node, finalizer: 'orphan' }];
    return dependents.map((dependent) => ({ step: 'disown', node: dependent, owners: [node.uid] }));
  }
  if (!node.finalizers.includes('foregroundDeletion')) return [];
  const blocking = graph
    .of(node.uid)
    .filter(({ owners }) => owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion));
  return blocking.length === 0 ? [{ step: 'release', node, finalizer: 'foregroundDeletion' }] : [];
}
