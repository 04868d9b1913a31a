import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  subtractQuantities,
} from '#formats/quantity.ts';
import type { Resource } from '#kube/resource.ts';
import type { PersistentVolumeClaim, Pod, Service } from '#kube/types/gen/core-v1.ts';

import type { ResourceName } from '../../auth/objects.ts';
import { podResources } from '../pod-resources.ts';

/** Amounts by what a quota calls them: `pods`, `requests.cpu`, `count/deployments.apps`. */
export type Amounts = Readonly<Record<string, string>>;

/** Kinds that had a name in quotas before there was `count/`. */
const counted = new Set([
  'configmaps',
  'secrets',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
  'pods',
]);

const classMark = '.storageclass.storage.k8s.io/';

/** What an object takes from quotas. */
export function usageOf(of: ResourceName, object: Resource, nowMs: number): Amounts {
  const count = { [`count/${of.group === '' ? of.resource : `${of.resource}.${of.group}`}`]: '1' };
  if (of.group !== '') return count;
  if (of.resource === 'pods') return { ...count, ...podUsage(object, nowMs) };
  if (of.resource === 'services') return { ...count, ...serviceUsage(object) };
  if (of.resource === 'persistentvolumeclaims') return { ...count, ...claimUsage(object) };
  return counted.has(of.resource) ? { ...count, [of.resource]: '1' } : count;
}

/** Pods that have ended, or should have, need nothing but their place in the store. */
function podUsage(pod: Pod, nowMs: number): Amounts {
  if (hasEnded(pod, nowMs)) return {};
  const usage: Record<string, string> = { pods: '1' };
  for (const [name, amount] of Object.entries(podResources(pod.spec ?? {}, 'requests'))) {
    if (!name.includes('/')) usage[name] = amount;
    usage[`requests.${name}`] = amount;
  }
  for (const [name, amount] of Object.entries(podResources(pod.spec ?? {}, 'limits')))
    if (!name.includes('/') && !name.startsWith('hugepages-')) usage[`limits.${name}`] = amount;
  return usage;
}

function hasEnded({ status, metadata }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return true;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000 < nowMs;
}

function serviceUsage({ spec = {} }: Service): Amounts {
  const ports = spec.ports ?? [];
  const withPort = ports.filter(({ nodePort = 0 }) => nodePort !== 0).length;
  const isBalanced = spec.type === 'LoadBalancer';
  const hasPorts = spec.type === 'NodePort' || (isBalanced && spec.allocateLoadBalancerNodePorts !== false);
  const nodePorts = hasPorts ? ports.length : isBalanced ? withPort : 0;
  return {
    services: '1',
    'services.nodeports': String(nodePorts),
    'services.loadbalancers': isBalanced ? '1' : '0',
  };
}

function claimUsage({ spec = {}, metadata }: PersistentVolumeClaim): Amounts {
  const size = spec.resources?.requests?.['storage'] ?? '0';
  const name = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '';
  const ofClass = { [`${name}${classMark}requests.storage`]: size, [`${name}${classMark}persistentvolumeclaims`]: '1' };
  return { persistentvolumeclaims: '1', 'requests.storage': size, ...(name === '' ? {} : ofClass) };
}

/** Sums amounts by name. */
export function sumAmounts(all: readonly Amounts[]): Amounts {
  const totals: Record<string, string> = {};
  for (const amounts of all)
    for (const [name, amount] of Object.entries(amounts)) {
      const total = totals[name];
      const parsed = parseQuantity(amount);
      totals[name] = formatQuantity(total === undefined ? parsed : addQuantities(parseQuantity(total), parsed));
    }
  return totals;
}

/** What `now` has more than `before`, by name; less is negative, no change is left out. */
export function differenceOf(now: Amounts, before: Amounts): Amounts {
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const change = subtractQuantities(parseQuantity(now[name] ?? '0'), parseQuantity(before[name] ?? '0'));
      return change.nanos === 0n ? [] : [[name, formatQuantity(change)]];
    }),
  );
}

export function isOver(one: string, other: string): boolean {
  return compareQuantities(parseQuantity(one), parseQuantity(other)) > 0;
}

export function isPositive(amount: string): boolean {
  return parseQuantity(amount).nanos > 0n;
}
