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
