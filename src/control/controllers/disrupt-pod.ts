import { StatusError } from '#base/errors.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Pod } from '#kube/types/gen/core-v1.ts';

import { isPodFinished } from './pod-state.ts';
import { timeText } from './record-event.ts';

const pods = kindOf<Pod>(pod);

/** Says on a pod that it goes for no fault of its own; with `isLost` also that it has failed, when it had not ended. */
export async function disruptPod(
  client: Client,
  one: Pod,
  why: { readonly reason: string; readonly message: string; readonly isLost?: boolean },
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { reason, message, isLost = false } = why;
  const type = 'DisruptionTarget';
  const made = { type, status: 'True', reason, message, lastTransitionTime: timeText(nowMs) };
  const conditions = [...(one.status?.conditions ?? []).filter((condition) => condition.type !== type), made];
  const phase = isLost && !isPodFinished(one) ? { phase: 'Failed' } : {};
  const next = { ...one, status: { ...one.status, ...phase, conditions } };
  await client.update(pods, next, { subresource: 'status' }, signal).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.reason !== 'NotFound') throw error;
  });
}
