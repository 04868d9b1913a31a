import type { Pod } from '#kube/types/gen/core-v1.ts';

import { sysctlsOf } from '../security/sysctls.ts';
import type { PodTools } from './pod-tools.ts';

export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

/** Why a pod must end as Failed now, though its containers have not; undefined: it need not. */
export async function failureOf(pod: Pod, tools: PodTools, signal: AbortSignal): Promise<PodFailure | undefined> {
  const { metadata, status } = pod;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded' || metadata.deletionTimestamp !== undefined)
    return undefined;
  const allowed = sysctlsOf(pod);
  if ('forbidden' in allowed) return { reason: 'SysctlForbidden', message: allowed.forbidden };
  const endMs = deadlineMs(pod);
  if (endMs !== undefined && tools.nowMs() >= endMs)
    return { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
  const message = await tools.volumes.excess(pod, signal);
  return message === undefined ? undefined : { reason: 'Evicted', message };
}

/** Milliseconds since the epoch at which a pod must have ended. */
export function deadlineMs({ spec, status }: Pod): number | undefined {
  const seconds = spec?.activeDeadlineSeconds;
  if (seconds === undefined || status?.startTime === undefined) return undefined;
  return Date.parse(status.startTime) + seconds * 1000;
}

/** Whether somebody has to look now and then how much a pod keeps in its volumes. */
export function hasLimitedVolumes({ spec }: Pod): boolean {
  return spec?.volumes?.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) === true;
}
