import type { Container, ContainerState, ContainerStatus, Pod } from '#kube/types/gen/core-v1.ts';

import { backoffEndMs, backoffMs } from './backoff.ts';
import { type ContainerRun, isRestarted, isSidecar, type PodNow, runsOf } from './pod-now.ts';

/** Why a container is not started, as the pod shows it. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly now: PodNow;
  /** Of containers whose start failed, by name. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly nowMs: number;
}

/** By which clients know whose container IDs these are. */
export const idPrefix = 'slipway://';

/** What a pod tells of each of its containers. */
export function containerStatuses(
  containers: readonly Container[],
  isInit: boolean,
  input: StatusInput,
): readonly ContainerStatus[] {
  return containers.map((container) => statusOf(container, isInit, input));
}

function statusOf(container: Container, isInit: boolean, input: StatusInput): ContainerStatus {
  const { name = '', image = '' } = container;
  const [latest, before] = runsOf(input.now.runs, name).filter(({ state }) => state !== 'created');
  const isWaiting = latest?.state === 'exited' && isBackingOff(container, latest, input);
  const state = isWaiting ? backingOff(latest, input.pod) : stateOf(container, latest, input);
  const last = isWaiting ? latest : before;
  const isRunning = latest?.state === 'running';
  const isDone = isInit && !isSidecar(container) && latest?.state === 'exited' && latest.exitCode === 0;
  return {
    name,
    image,
    imageID: latest?.imageId ?? '',
    ...(latest !== undefined && { containerID: idPrefix + latest.id }),
    restartCount: latest?.attempt ?? 0,
    ready:
      isInit && !isSidecar(container)
        ? isDone
        : isRunning && latest.probes?.ready !== false && latest.probes?.started !== false,
    started: isRunning && latest.probes?.started !== false,
    state,
    lastState: last === undefined ? {} : terminated(last),
  };
}

function isBackingOff(container: Container, run: ContainerRun, { pod, nowMs, waiting }: StatusInput): boolean {
  return isRestarted(pod, container, run) && (nowMs < backoffEndMs(run) || waiting.has(run.name));
}

function backingOff(run: ContainerRun, { metadata }: Pod): ContainerState {
  const { name = '', namespace = '', uid = '' } = metadata;
  const delay = goDuration(backoffMs(run) / 1000);
  const message = `back-off ${delay} restarting failed container=${run.name} pod=${name}_${namespace}(${uid})`;
  return { waiting: { reason: 'CrashLoopBackOff', message } };
}

function stateOf({ name = '' }: Container, run: ContainerRun | undefined, input: StatusInput): ContainerState {
  if (run?.state === 'running') return { running: { startedAt: seconds(run.startedAt) } };
  if (run !== undefined) return terminated(run);
  const waiting = input.waiting.get(name);
  if (waiting !== undefined) return { waiting };
  const isMain = input.pod.spec?.containers?.some((container) => container.name === name) === true;
  const hasInits = (input.pod.spec?.initContainers ?? []).length > 0;
  return { waiting: { reason: isMain && hasInits ? 'PodInitializing' : 'ContainerCreating' } };
}

function terminated({ id, exitCode, oomKilled, startedAt, finishedAt, message = '' }: ContainerRun): ContainerState {
  const reason = oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
  const times = { startedAt: seconds(startedAt), finishedAt: seconds(finishedAt) };
  const said = message === '' ? {} : { message };
  return { terminated: { exitCode, reason, ...said, containerID: idPrefix + id, ...times } };
}

function seconds(time: string): string {
  return time.replace(/\.\d+/, '');
}

/** As Go prints durations: `1m20s`. */
function goDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${String(seconds)}s` : `${String(minutes)}m${String(seconds % 60)}s`;
}
