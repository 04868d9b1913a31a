import type { ResourceQuota } from '#kube/types/gen/core-v1.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';
import { isInScope } from './scopes.ts';
import { sumAmounts, usageOf, type Amounts } from './usage.ts';

/** What the objects of a namespace take from a quota, counted one by one; each name that the quota limits has an amount. */
export async function countUsage(
  objects: Objects,
  quota: ResourceQuota,
  nowMs: number,
  signal: AbortSignal,
): Promise<Amounts> {
  const hard = Object.keys(quota.spec?.hard ?? {});
  const usages: Amounts[] = [Object.fromEntries(hard.map((name) => [name, '0']))];
  for (const of of countedResources(hard)) {
    const all = await objects.list(of, quota.metadata.namespace ?? '', signal);
    for (const object of all) if (isInScope(quota, of, object)) usages.push(usageOf(of, object, nowMs));
  }
  const total = sumAmounts(usages);
  return Object.fromEntries(hard.map((name) => [name, total[name] ?? '0']));
}

/** The kinds that the names of a quota count. */
export function countedResources(hard: readonly string[]): readonly ResourceName[] {
  const found = new Map<string, ResourceName>();
  for (const name of hard) {
    const of = resourceOf(name);
    found.set(`${of.group}/${of.resource}`, of);
  }
  return [...found.values()];
}

function resourceOf(name: string): ResourceName {
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.');
    return { group: group.join('.'), resource };
  }
  if (name.endsWith('requests.storage') || name.endsWith('persistentvolumeclaims'))
    return { group: '', resource: 'persistentvolumeclaims' };
  if (name.startsWith('services')) return { group: '', resource: 'services' };
  const plain = ['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'];
  return { group: '', resource: plain.includes(name) ? name : 'pods' };
}
