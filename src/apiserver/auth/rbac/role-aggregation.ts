import { isObject } from '#base/json.ts';
import { matchesLabels, selectionOf, type SelectorObject } from '#kube/selectors/label-selector.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { Objects } from '../objects.ts';
import type { PolicyRule } from './policy-rule.ts';
import { rbacName, rulesOf } from './rbac-index.ts';

/** Whether the rules of a cluster role are made of others'. */
export function isAggregated(role: Resource): boolean {
  return isObject(role['aggregationRule']);
}

/** The rules that a cluster role gets from those that its selectors choose, by name, each once. */
export function aggregatedRules(role: Resource, all: Iterable<Resource>): readonly PolicyRule[] {
  const chosen = [...all]
    .filter((one) => one.metadata.name !== role.metadata.name && isChosen(role, one))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  return [...new Map(chosen.flatMap(rulesOf).map((rule) => [JSON.stringify(rule), rule])).values()];
}

/**
 * Keeps aggregated cluster roles up to date until the signal aborts. `onError` is told of writes that failed; the next
 * change of any cluster role tries again.
 */
export async function runAggregation(
  objects: Objects,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const roles = new Map<string, Resource>();
  let isSynced = false;
  for await (const { type, object } of objects.follow(rbacName('clusterroles'), signal)) {
    if (type === 'put' && object !== undefined) roles.set(object.metadata.name ?? '', object);
    if (type === 'remove') roles.delete(object?.metadata.name ?? '');
    isSynced ||= type === 'synced';
    if (isSynced) await aggregate(objects, roles, onError, signal);
  }
}

/** A conflict means that a newer state is on its way to us. */
async function aggregate(
  objects: Objects,
  roles: ReadonlyMap<string, Resource>,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const role of roles.values()) {
    if (!isAggregated(role)) continue;
    const rules = aggregatedRules(role, roles.values());
    if (JSON.stringify(rules) === JSON.stringify(rulesOf(role))) continue;
    try {
      await objects.update(rbacName('clusterroles'), { ...role, rules }, signal);
    } catch (error) {
      if (!(error instanceof ApiError && ['Conflict', 'NotFound'].includes(error.statusReason))) onError(error);
    }
  }
}

function isChosen(role: Resource, one: Resource): boolean {
  const rule = role['aggregationRule'];
  const selectors = isObject(rule) && Array.isArray(rule['clusterRoleSelectors']) ? rule['clusterRoleSelectors'] : [];
  return selectors.some((selector: SelectorObject) =>
    matchesLabels(selectionOf(selector) ?? 'nothing', one.metadata.labels),
  );
}
