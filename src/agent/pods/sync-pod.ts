import { reasonOf } from '#base/errors.ts';
import { isEqualJson } from '#base/json.ts';
import { keyOf } from '#kube/client/client.ts';
import type { Pod, PodStatus } from '#kube/types/gen/core-v1.ts';

import { idPrefix } from '../lifecycle/container-statuses.ts';
import { planPod } from '../lifecycle/plan-pod.ts';
import type { PodNow } from '../lifecycle/pod-now.ts';
import { podStatusOf } from '../lifecycle/pod-status.ts';
import { carryAllOut } from './carry-all-out.ts';
import { deadlineMs, failureOf, hasLimitedVolumes } from './failure-of.ts';
import { addressOf, containerNamed, fieldOf, pods, type PodTools } from './pod-tools.ts';
import { readPod } from './read-pod.ts';

export interface SyncOutcome {
  /** Milliseconds since the epoch at which there is more to do. */
  readonly againAtMs?: number;
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
  const failure = await failureOf(pod, tools, signal);
  if (failure !== undefined) {
    tools.record(pod, 'Warning', failure.reason, failure.message);
    await writeStatus(pod, { ...pod.status, phase: 'Failed', ...failure }, tools, signal);
    return {};
  }
  for (let plans = 0; plans < plansMost; plans += 1) {
    const { steps, againAtMs } = planPod(pod, readPod(uid, tools.engine, tools.probes), tools.nowMs());
    if (steps.some(({ step }) => step === 'forget')) await tellEnd(pod, tools, signal);
    const carried = await carryAllOut(steps, pod, tools, signal);
    if (carried.isForgotten) return {};
    const { waiting } = carried;
    if (steps.length > 0 && waiting.size === 0) continue;
    followProbes(pod, tools);
    const now = await withMessages(pod, readPod(uid, tools.engine, tools.probes), tools, signal);
    const { hostIPs } = tools.node;
    const status = podStatusOf({ pod, now, waiting, nowMs: tools.nowMs(), hostIPs });
    await writeStatus(pod, status, tools, signal);
    tellBackOffs(pod, status, tools);
    const lookMs = nextLookMs(pod, status, tools.nowMs());
    const nextMs = Math.min(againAtMs ?? Infinity, carried.againAtMs ?? Infinity, lookMs);
    return Number.isFinite(nextMs) ? { againAtMs: nextMs } : {};
  }
  throw new Error(`invariant broken: the plan for pod ${uid} never ends`);
}

/** Tells of containers that wait to be started again. */
function tellBackOffs(pod: Pod, status: PodStatus, { record }: PodTools): void {
  const { name: podName = '', namespace = '', uid = '' } = pod.metadata;
  for (const { name = '', state } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    if (state?.waiting?.reason !== 'CrashLoopBackOff') continue;
    const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
    record(pod, 'Warning', 'BackOff', message, fieldOf(pod, name));
  }
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

async function writeStatus(pod: Pod, status: PodStatus, { client }: PodTools, signal: AbortSignal): Promise<void> {
  if (isEqualJson(status, pod.status)) return;
  // Not over what somebody wrote meanwhile: the next look has seen that.
  const { uid, resourceVersion } = pod.metadata;
  const body = { metadata: { uid, resourceVersion }, status };
  await client.patch(pods, keyOf(pod), { type: 'merge', body }, { subresource: 'status' }, signal);
}
