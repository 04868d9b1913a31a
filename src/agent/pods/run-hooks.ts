import { deadline, sleep } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { LifecycleHandler, Pod } from '#kube/types/gen/core-v1.ts';

import type { ProbeTarget } from '../probes/prober.ts';
import { fieldOf, type PodTools } from './pod-tools.ts';

/** A hook after the start may take as long as it wants; this is only a bound. */
const postStartMs = 3_600_000;
/** What a container has left to end by itself, however long its hook took. */
const leastSeconds = 2;

/** Runs the hook after a container's start. Throws when it failed, which is told: the container must end then. */
export async function runPostStart(
  pod: Pod,
  target: ProbeTarget,
  { prober, record }: PodTools,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.postStart;
  if (hook === undefined) return;
  try {
    await runHook(hook, target, prober, postStartMs, signal);
  } catch (error) {
    signal.throwIfAborted();
    const field = fieldOf(pod, target.container.name ?? '');
    record(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${messageOf(error)}`, field);
    throw error;
  }
}

/** Runs the hook before a container's end, for its grace at most; returns the seconds that are left of that. */
export async function runPreStop(
  pod: Pod,
  target: ProbeTarget,
  graceSeconds: number,
  { prober, record, nowMs }: PodTools,
  signal: AbortSignal,
): Promise<number> {
  const hook = target.container.lifecycle?.preStop;
  if (hook === undefined || graceSeconds === 0) return graceSeconds;
  const startedMs = nowMs();
  const limit = deadline(graceSeconds * 1000, signal);
  try {
    await runHook(hook, target, prober, graceSeconds * 1000, limit);
  } catch (error) {
    signal.throwIfAborted();
    const field = fieldOf(pod, target.container.name ?? '');
    record(pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${messageOf(error)}`, field);
  }
  return Math.max(leastSeconds, graceSeconds - Math.ceil((nowMs() - startedMs) / 1000));
}

async function runHook(
  hook: LifecycleHandler,
  target: ProbeTarget,
  prober: PodTools['prober'],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (hook.sleep !== undefined) return sleep((hook.sleep.seconds ?? 0) * 1000, signal);
  const { ok, message } = await prober(hook, target, timeoutMs, signal);
  if (!ok) throw new StatusError('Unavailable', message);
}
