import type { Node, Taint } from '#kube/types/gen/core-v1.ts';

const prefix = 'node.kubernetes.io/';
const notReady = `${prefix}not-ready`;
const unreachable = `${prefix}unreachable`;
/** Conditions that keep new pods away, by their type. */
const byCondition: Readonly<Record<string, string>> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
};
const ours = new Set([notReady, unreachable, `${prefix}unschedulable`, ...Object.values(byCondition)]);

/** The taints that a node's conditions ask for, beside those of others; a taint that is there keeps its time. */
export function nodeTaints({ spec, status }: Node, time: string): Taint[] {
  const before = spec?.taints ?? [];
  const wanted: Taint[] = [];
  for (const { type = '', status: is } of status?.conditions ?? []) {
    const key = byCondition[type];
    if (key !== undefined && is === 'True') wanted.push({ key, effect: 'NoSchedule' });
    if (type !== 'Ready' || is === 'True') continue;
    const reason = is === 'Unknown' ? unreachable : notReady;
    wanted.push({ key: reason, effect: 'NoSchedule' }, { key: reason, effect: 'NoExecute', timeAdded: time });
  }
  if (spec?.unschedulable === true)
    wanted.push({ key: `${prefix}unschedulable`, effect: 'NoSchedule', timeAdded: time });
  const isSame = (one: Taint, other: Taint): boolean => one.key === other.key && one.effect === other.effect;
  const isKept = (one: Taint): boolean => !ours.has(one.key ?? '') || wanted.some((other) => isSame(one, other));
  const kept = before.filter(isKept);
  return [...kept, ...wanted.filter((one) => !kept.some((other) => isSame(one, other)))];
}
