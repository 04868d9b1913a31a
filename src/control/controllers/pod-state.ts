import type { Pod } from '#kube/types/gen/core-v1.ts';

/** Whether the pod's condition Ready is true. */
export function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Whether its containers have ended and never start again. */
export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

/** Whether somebody wants it to go. */
export function isPodGoing(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether it counts as one of those that are wanted. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && !isPodGoing(pod);
}

/** When it will have been ready for as long as that; undefined while it is not ready. */
export function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  return (Date.parse(ready.lastTransitionTime ?? '') || Infinity) + minReadySeconds * 1000;
}
