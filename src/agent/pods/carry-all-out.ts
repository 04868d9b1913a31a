import type { Pod } from '#kube/types/gen/core-v1.ts';

import type { Waiting } from '../lifecycle/container-statuses.ts';
import type { Step } from '../lifecycle/plan-pod.ts';
import { carryOut } from './carry-out.ts';
import { ContainerFault } from './pod-fault.ts';
import { fieldOf, type PodTools } from './pod-tools.ts';
import { backingOff } from './start-backoffs.ts';

export interface Carried {
  /** The object is gone. */
  readonly isForgotten: boolean;
  /** Why containers were not started, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Milliseconds since the epoch at which what failed is to be tried again. */
  readonly againAtMs?: number;
}

/** Carries the steps of a plan out. Containers that cannot be started do not keep others from it. */
export async function carryAllOut(
  steps: readonly Step[],
  pod: Pod,
  tools: PodTools,
  signal: AbortSignal,
): Promise<Carried> {
  const waiting = new Map<string, Waiting>();
  const again: number[] = [];
  const stops = steps.filter(({ step }) => step === 'stop');
  await Promise.all(stops.map(async (stop) => carryOut(stop, pod, tools, signal)));
  for (const step of steps) {
    if (step.step === 'stop') continue;
    const failed = await attempt(step, pod, tools, signal);
    if (failed === undefined) continue;
    again.push(failed.untilMs);
    for (const name of namesOf(step, pod)) waiting.set(name, failed.waiting);
    if (step.step !== 'start') break;
  }
  const isForgotten = waiting.size === 0 && steps.some(({ step }) => step === 'forget');
  return { isForgotten, waiting, ...(again.length > 0 && { againAtMs: Math.min(...again) }) };
}

/** What failed, now or lately; undefined when it worked. */
async function attempt(
  step: Step,
  pod: Pod,
  tools: PodTools,
  signal: AbortSignal,
): Promise<{ readonly waiting: Waiting; readonly untilMs: number } | undefined> {
  const { starts, record, nowMs } = tools;
  const { uid = '' } = pod.metadata;
  const { name = '', image = '' } = step.step === 'start' ? step.container : {};
  const what = step.step === 'start' ? `${name} ${image}` : step.step;
  const blocked = starts.blocked(uid, what, nowMs());
  if (blocked !== undefined) {
    const waiting = backingOff(blocked.waiting, image);
    if (waiting.reason === 'ImagePullBackOff') {
      record(pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`, fieldOf(pod, name));
      record(pod, 'Warning', 'Failed', 'Error: ImagePullBackOff', fieldOf(pod, name));
    }
    return { waiting, untilMs: blocked.untilMs };
  }
  try {
    await carryOut(step, pod, tools, signal);
    starts.worked(uid, what);
    return undefined;
  } catch (error) {
    if (!(error instanceof ContainerFault)) throw error;
    return { waiting: error.waiting, untilMs: starts.failed(uid, what, error.waiting, nowMs()) };
  }
}

/** The containers that a step is for: without volumes and sandbox none can start. */
function namesOf(step: Step, { spec }: Pod): readonly string[] {
  if (step.step === 'start') return [step.container.name ?? ''];
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name = '' }) => name);
}
