import type { ContainerStatus, PodCondition, PodStatus } from '#kube/types/gen/core-v1.ts';

import { containerStatuses, type StatusInput } from './container-statuses.ts';
import { phaseOf } from './phase-of.ts';
import { isSidecar } from './pod-now.ts';

export interface PodStatusInput extends StatusInput {
  readonly hostIPs: readonly string[];
}

/** The status that a node writes for a pod: what others wrote stays, times change only with what they are of. */
export function podStatusOf(input: PodStatusInput): PodStatus {
  const { pod, now, hostIPs, nowMs } = input;
  const { spec, status = {}, metadata } = pod;
  const phase = phaseOf(pod, now);
  const inits = containerStatuses(spec?.initContainers ?? [], true, input);
  const mains = containerStatuses(spec?.containers ?? [], false, input);
  const ephemerals = ephemeralStatuses(input);
  const time = new Date(nowMs).toISOString().replace(/\.\d+/, '');
  const wanted = conditionsOf(input, phase, inits, mains);
  const others = (status.conditions ?? []).filter(({ type }) => wanted.every((one) => one.type !== type));
  const known = status.podIPs?.map(({ ip = '' }) => ip) ?? [];
  const ips = spec?.hostNetwork === true ? hostIPs : (now.sandbox?.ips ?? known);
  return {
    ...status,
    phase,
    conditions: [...wanted.map((condition) => withTime(condition, status.conditions ?? [], time)), ...others],
    ...(hostIPs[0] !== undefined && { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(ips[0] !== undefined && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: status.startTime ?? time,
    ...(inits.length > 0 && { initContainerStatuses: [...inits] }),
    containerStatuses: [...mains],
    ...(ephemerals.length > 0 && { ephemeralContainerStatuses: [...ephemerals] }),
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  };
}

/** Nobody waits for ephemeral containers to be ready, and they are not started again. */
function ephemeralStatuses(input: PodStatusInput): readonly ContainerStatus[] {
  const pod = { ...input.pod, spec: { ...input.pod.spec, restartPolicy: 'Never' } };
  const statuses = containerStatuses(input.pod.spec?.ephemeralContainers ?? [], false, { ...input, pod });
  return statuses.map((status) => ({ ...status, ready: false }));
}

type Condition = Required<Pick<PodCondition, 'type' | 'status'>> & Pick<PodCondition, 'reason' | 'message'>;

function conditionsOf(
  { pod, now }: PodStatusInput,
  phase: string,
  inits: readonly ContainerStatus[],
  mains: readonly ContainerStatus[],
): readonly Condition[] {
  const hasSandbox = now.sandbox !== undefined;
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const hasMains = mains.some(({ containerID }) => containerID !== undefined);
  const undone = hasMains ? [] : inits.filter(({ name, ready, started }) => !(sidecars.has(name) ? started : ready));
  const ready = [...inits.filter(({ name }) => sidecars.has(name)), ...mains];
  const readiness =
    phase === 'Succeeded'
      ? completed
      : allOf(
          ready.filter((one) => one.ready !== true),
          'ContainersNotReady',
          'unready',
        );
  return [
    { type: 'PodReadyToStartContainers', status: hasSandbox ? 'True' : 'False' },
    {
      type: 'Initialized',
      ...(phase === 'Succeeded'
        ? { status: 'True', reason: 'PodCompleted' }
        : allOf(undone, 'ContainersNotInitialized', 'incomplete')),
    },
    { type: 'Ready', ...readinessOf(pod, readiness) },
    { type: 'ContainersReady', ...readiness },
    // Who came here without a scheduler is scheduled, too.
    { type: 'PodScheduled', status: 'True' },
  ];
}

const completed = { status: 'False', reason: 'PodCompleted' };

function allOf(failing: readonly ContainerStatus[], reason: string, word: string): Omit<Condition, 'type'> {
  if (failing.length === 0) return { status: 'True' };
  const names = failing.map(({ name = '' }) => name).join(' ');
  return { status: 'False', reason, message: `containers with ${word} status: [${names}]` };
}

/** Ready are the containers, and whatever else the pod waits for (readinessGates). */
function readinessOf(
  { spec, status }: PodStatusInput['pod'],
  containers: Omit<Condition, 'type'>,
): Omit<Condition, 'type'> {
  if (containers.status !== 'True') return containers;
  for (const { conditionType = '' } of spec?.readinessGates ?? []) {
    const gate = status?.conditions?.find(({ type }) => type === conditionType);
    if (gate?.status === 'True') continue;
    const message =
      gate === undefined
        ? `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
        : `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status ?? ''}`;
    return { status: 'False', reason: 'ReadinessGatesNotReady', message };
  }
  return containers;
}

function withTime(condition: Condition, before: readonly PodCondition[], time: string): PodCondition {
  const old = before.find(({ type }) => type === condition.type);
  const isSame = old?.status === condition.status && old.lastTransitionTime !== undefined;
  return { ...condition, lastTransitionTime: isSame ? (old.lastTransitionTime ?? time) : time };
}
