import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { backoffEndMs } from './backoff.ts';
import { phaseOf } from './phase-of.ts';
import { type ContainerRun, isRestarted, isSidecar, latestOf, type PodNow, runsOf } from './pod-now.ts';

export type Step =
  /** Volumes and sandbox. */
  | { readonly step: 'open' }
  | { readonly step: 'start'; readonly container: Container; readonly attempt: number }
  | { readonly step: 'stop'; readonly run: ContainerRun; readonly graceSeconds: number; readonly why?: string }
  | { readonly step: 'remove'; readonly run: ContainerRun }
  /** Sandbox and volumes; nothing runs any more. */
  | { readonly step: 'close' }
  /** The object is deleted for good. */
  | { readonly step: 'forget' };

export interface PodPlan {
  readonly steps: readonly Step[];
  /** Milliseconds since the epoch at which there is more to do, though nothing happens until then. */
  readonly againAtMs?: number;
}

/** Runs of a container that are kept: the last, and the one before it for its logs. */
const keptRuns = 2;
const defaultGraceSeconds = 30;

/** What is to be done next for a pod, from what it asks for and what there is; the same question has the same answer. */
export function planPod(pod: Pod, now: PodNow, nowMs: number): PodPlan {
  const phase = phaseOf(pod, now);
  if (pod.metadata.deletionTimestamp !== undefined) return planDeletion(pod, now);
  if (phase === 'Succeeded' || phase === 'Failed') return planEnd(pod, now);
  const old = now.runs.filter((run) => runsOf(now.runs, run.name).indexOf(run) >= keptRuns);
  const steps: Step[] = old.map((run) => ({ step: 'remove', run }));
  if (now.sandbox === undefined) return { steps: [...stopAll(pod, now), ...steps, { step: 'open' }] };
  steps.push(...stopUnhealthy(pod, now));
  const starts = planStarts(pod, now, nowMs);
  const againAtMs = Math.min(...starts.flatMap((start) => (typeof start === 'number' ? [start] : [])));
  steps.push(...starts.flatMap((start) => (typeof start === 'number' ? [] : start)));
  return { steps, ...(Number.isFinite(againAtMs) && { againAtMs }) };
}

/** Steps, or the time at which one may be started again. */
type Start = readonly Step[] | number;

/** Init containers one after the other, then all others at once. */
function planStarts(pod: Pod, now: PodNow, nowMs: number): readonly Start[] {
  const starts: Start[] = [];
  const mains = pod.spec?.containers ?? [];
  const hasMains = mains.some(({ name = '' }) => latestOf(now, name) !== undefined);
  for (const init of pod.spec?.initContainers ?? []) {
    const run = latestOf(now, init.name ?? '');
    if (hasMains && !isSidecar(init)) continue;
    if (run?.state === 'exited' && run.exitCode === 0 && !isSidecar(init)) continue;
    if (run?.state === 'running' && isSidecar(init) && run.probes?.started !== false) continue;
    starts.push(startOf(pod, init, run, nowMs));
    if (!hasMains) return starts;
  }
  return [
    ...starts,
    ...mains.map((main) => startOf(pod, main, latestOf(now, main.name ?? ''), nowMs)),
    ...(pod.spec?.ephemeralContainers ?? []).map((one) => startOnce(one, latestOf(now, one.name ?? ''))),
  ];
}

/** Ephemeral containers are never started again. */
function startOnce(container: Container, run: ContainerRun | undefined): Start {
  if (run === undefined) return [{ step: 'start', container, attempt: 0 }];
  return [];
}

function startOf(pod: Pod, container: Container, run: ContainerRun | undefined, nowMs: number): Start {
  if (run === undefined) return [{ step: 'start', container, attempt: 0 }];
  if (run.state === 'running') return [];
  if (run.state === 'created')
    return [
      { step: 'remove', run },
      { step: 'start', container, attempt: run.attempt },
    ];
  if (!isRestarted(pod, container, run)) return [];
  const endMs = backoffEndMs(run);
  return nowMs < endMs ? endMs : [{ step: 'start', container, attempt: run.attempt + 1 }];
}

/** Containers whose probes say that they are past help. */
function stopUnhealthy({ spec }: Pod, { runs }: PodNow): readonly Step[] {
  return runs.flatMap((run) => {
    const failed = run.state === 'running' ? run.probes?.failed : undefined;
    if (failed === undefined) return [];
    const graceSeconds = failed.graceSeconds ?? spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    return [
      { step: 'stop', run, graceSeconds, why: `Container ${run.name} failed ${failed.kind} probe, will be restarted` },
    ];
  });
}

function planDeletion(pod: Pod, now: PodNow): PodPlan {
  const stops = stopAll(pod, now);
  if (stops.length > 0) return { steps: stops };
  const removals = now.runs.map((run): Step => ({ step: 'remove', run }));
  return { steps: [...removals, { step: 'close' }, { step: 'forget' }] };
}

/** Its containers stay, for their logs, until the object is deleted. */
function planEnd(pod: Pod, now: PodNow): PodPlan {
  const stops = stopAll(pod, now);
  if (stops.length > 0) return { steps: stops };
  return { steps: now.sandbox === undefined ? [] : [{ step: 'close' }] };
}

/** Those that the others rely on, sidecars, end after them, the last started first. */
function stopAll({ metadata, spec }: Pod, { runs }: PodNow): readonly Step[] {
  const graceSeconds =
    metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
  const running = runs.filter(({ state }) => state === 'running');
  const sidecars = (spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const others = running.filter(({ name }) => !sidecars.includes(name));
  const next = others.length > 0 ? others : running.sort((one, other) => orderOf(other) - orderOf(one)).slice(0, 1);
  return next.map((run) => ({ step: 'stop', run, graceSeconds }));
  function orderOf({ name }: ContainerRun): number {
    return sidecars.indexOf(name);
  }
}
