import type { Pod } from '#kube/types/gen/core-v1.ts';

import { isRestarted, isSidecar, latestOf, type PodNow } from './pod-now.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** The phase of a pod; once it has ended that stays. */
export function phaseOf(pod: Pod, now: PodNow): Phase {
  const { spec, status } = pod;
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return status.phase;
  if (pod.metadata.deletionTimestamp !== undefined) return phaseOfDeleted(pod, now);
  const mains = (spec?.containers ?? []).map((container) => ({ container, run: latestOf(now, container.name ?? '') }));
  const hasMains = mains.some(({ run }) => run !== undefined && run.state !== 'created');
  for (const init of spec?.initContainers ?? []) {
    const run = latestOf(now, init.name ?? '');
    if (run?.state === 'exited' && run.exitCode !== 0 && !isRestarted(pod, init, run)) return 'Failed';
    const isDone = isSidecar(init) ? run?.state === 'running' : run?.state === 'exited' && run.exitCode === 0;
    if (!isDone && !hasMains) return 'Pending';
  }
  if (mains.some(({ run }) => run === undefined || run.state === 'created')) return 'Pending';
  const isGoingOn = mains.some(
    ({ container, run }) => run?.state === 'running' || (run !== undefined && isRestarted(pod, container, run)),
  );
  if (isGoingOn) return 'Running';
  return mains.every(({ run }) => run?.exitCode === 0) ? 'Succeeded' : 'Failed';
}

/** Nothing is started again: what has ended has ended, and what never ran has failed. */
function phaseOfDeleted({ spec, status }: Pod, now: PodNow): Phase {
  if (now.runs.some(({ state }) => state === 'running')) return status?.phase === 'Pending' ? 'Pending' : 'Running';
  const runs = (spec?.containers ?? []).map(({ name = '' }) => latestOf(now, name));
  return runs.every((run) => run?.state === 'exited' && run.exitCode === 0) ? 'Succeeded' : 'Failed';
}
