import { reasonOf } from '#base/errors.ts';
import { isEqualJson } from '#base/json.ts';
import { keyOf } from '#kube/client/client.ts';
import type { Pod, PodStatus } from '#kube/types/gen/core-v1.ts';

import { idPrefix, type Waiting } from '../lifecycle/container-statuses.ts';
import { planPod, type Step } from '../lifecycle/plan-pod.ts';
import type { PodNow } from '../lifecycle/pod-now.ts';
import { podStatusOf } from '../lifecycle/pod-status.ts';
import { carryOut } from './carry-out.ts';
import { deadlineMs, failureOf, hasLimitedVolumes } from './failure-of.ts';
import { ContainerFault } from './pod-fault.ts';
import { addressOf, containerNamed, pods, type PodTools } from './pod-tools.ts';
import { readPod } from './read-pod.ts';

export interface SyncOutcome {
  /** Milliseconds since the epoch at which there is more to do. */
  readonly againAtMs?: number;
  /** Of containers that could not be started, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
}

/** Plans that follow each other without anybody waiting: more means that steps do not do what they say. */
const plansMost = 32;
/** How often what pods keep in their volumes is measured. */
const volumesMs = 10_000;

/**
 * Does all that can be done for a pod now, and writes its status. The object is as the API last told it. Failures to start
 * containers are part of the status; others are thrown.
 */
export async function syncPod(pod: Pod, tools: PodTools, signal: AbortSignal): Promise<SyncOutcome> {
  const uid = pod.metadata.uid ?? '';
  const waiting = new Map<string, Waiting>();
  const failure = await failureOf(pod, tools, signal);
  if (failure !== undefined) {
    tools.record(pod, 'Warning', failure.reason, failure.message);
    await writeStatus(pod, { ...pod.status, phase: 'Failed', ...failure }, tools, signal);
    return { waiting };
  }
  for (let plans = 0; plans < plansMost; plans += 1) {
    const { steps, againAtMs } = planPod(pod, readPod(uid, tools.engine, tools.probes), tools.nowMs());
    if (steps.some(({ step }) => step === 'forget')) await tellEnd(pod, tools, signal);
    const isForgotten = await carryAllOut(steps, pod, tools, waiting, signal);
    if (isForgotten) return { waiting };
    if (steps.length > 0 && waiting.size === 0) continue;
    followProbes(pod, tools);
    const now = await withMessages(pod, readPod(uid, tools.engine, tools.probes), tools, signal);
    const { hostIPs } = tools.node;
    const status = podStatusOf({ pod, now, waiting, nowMs: tools.nowMs(), hostIPs });
    await writeStatus(pod, status, tools, signal);
    const nextMs = Math.min(againAtMs ?? Infinity, nextLookMs(pod, status, tools.nowMs()));
    return { waiting, ...(Number.isFinite(nextMs) && { againAtMs: nextMs }) };
  }
  throw new Error(`invariant broken: the plan for pod ${uid} never ends`);
}

/** What a deleted pod came to, for those who count it; afterwards nothing is left to tell it from. */
async function tellEnd(pod: Pod, tools: PodTools, signal: AbortSignal): Promise<void> {
  const now = await withMessages(pod, readPod(pod.metadata.uid ?? '', tools.engine), tools, signal);
  if (now.runs.length === 0 && now.sandbox === undefined) return;
  const { hostIPs } = tools.node;
  const status = podStatusOf({ pod, now, waiting: new Map(), nowMs: tools.nowMs(), hostIPs });
  await writeStatus(pod, status, tools, signal).catch((error: unknown) => {
    if (reasonOf(error) !== 'NotFound') throw error;
  });
}

/** When somebody must see whether the pod has to end, though nothing happens until then. */
function nextLookMs(pod: Pod, status: PodStatus, nowMs: number): number {
  if (status.phase !== 'Running' && status.phase !== 'Pending') return Infinity;
  const looksMs = hasLimitedVolumes(pod) ? nowMs + volumesMs : Infinity;
  return Math.min(looksMs, deadlineMs({ ...pod, status }) ?? Infinity);
}

async function withMessages(pod: Pod, now: PodNow, tools: PodTools, signal: AbortSignal): Promise<PodNow> {
  const runs = now.runs.map(async (run) => {
    const container = containerNamed(pod, run.name);
    if (run.state !== 'exited' || container === undefined) return run;
    const message = await tools.messages.of(pod.metadata.uid ?? '', container, run, tools.engine.containers, signal);
    return message === '' ? run : { ...run, message };
  });
  return { ...now, runs: await Promise.all(runs) };
}

/** Begins to ask the containers that run how they are, and ends with those that do not. */
function followProbes(pod: Pod, tools: PodTools): void {
  const { uid = '', deletionTimestamp } = pod.metadata;
  const { sandbox, runs } = readPod(uid, tools.engine);
  const running = deletionTimestamp === undefined ? runs.filter(({ state }) => state === 'running') : [];
  tools.probes.keepOnly(
    uid,
    running.map(({ id }) => id),
  );
  for (const run of running) {
    const container = containerNamed(pod, run.name);
    const address = addressOf(pod, tools, sandbox?.ips ?? []);
    if (container !== undefined) tools.probes.follow(pod, container, run, address, idPrefix + run.id);
  }
}

/** True when the object is gone. Containers that cannot be started do not keep others from it. */
async function carryAllOut(
  steps: readonly Step[],
  pod: Pod,
  tools: PodTools,
  waiting: Map<string, Waiting>,
  signal: AbortSignal,
): Promise<boolean> {
  const stops = steps.filter(({ step }) => step === 'stop');
  await Promise.all(stops.map(async (stop) => carryOut(stop, pod, tools, signal)));
  for (const step of steps) {
    if (step.step === 'stop') continue;
    try {
      await carryOut(step, pod, tools, signal);
    } catch (error) {
      if (!(error instanceof ContainerFault)) throw error;
      const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
      const names = step.step === 'start' ? [step.container.name] : all.map(({ name }) => name);
      for (const name of names) waiting.set(name ?? '', error.waiting);
      if (step.step !== 'start') return false;
    }
  }
  return steps.some(({ step }) => step === 'forget');
}

async function writeStatus(pod: Pod, status: PodStatus, { client }: PodTools, signal: AbortSignal): Promise<void> {
  if (isEqualJson(status, pod.status)) return;
  // Not over what somebody wrote meanwhile: the next look has seen that.
  const { uid, resourceVersion } = pod.metadata;
  const body = { metadata: { uid, resourceVersion }, status };
  await client.patch(pods, keyOf(pod), { type: 'merge', body }, { subresource: 'status' }, signal);
}
