import type { Column } from '../kind.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../types/gen/core-v1.ts';
import { age, ageColumn, nameColumn, text, wide } from './columns.ts';
import { none } from './labels.ts';

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', 'Containers that are ready, of those that run.', (pod) => summaryOf(pod).ready),
  text('Status', 'What the containers are doing.', (pod) => summaryOf(pod).status),
  text('Restarts', 'How often containers were restarted, and when last.', (pod, nowMs) => {
    const { restarts, lastRestart } = summaryOf(pod);
    const when = restarts === 0 || lastRestart === '' ? '' : ` (${age(lastRestart, nowMs)} ago)`;
    return `${String(restarts)}${when}`;
  }),
  ageColumn,
  wide(text('IP', 'First address of the pod.', (pod) => pod.status?.podIPs?.[0]?.ip ?? none)),
  wide(text('Node', 'Node that the pod runs on.', (pod) => pod.spec?.nodeName ?? none)),
  wide(
    text('Nominated Node', 'Node that is being cleared for the pod.', (pod) => pod.status?.nominatedNodeName ?? none),
  ),
  wide(text('Readiness Gates', 'Additional conditions that hold, of all that must.', gates)),
];

export interface PodSummary {
  /** `1/2`. */
  readonly ready: string;
  /** Such as `Running`, `CrashLoopBackOff`, `Init:0/2`, `Terminating`. */
  readonly status: string;
  readonly restarts: number;
  /** Time of the last end that was followed by a restart; empty: none. */
  readonly lastRestart: string;
}

/** The state of a pod in the words of kubectl's table (printers/internalversion, printPod). */
export function summaryOf(pod: Pod): PodSummary {
  const { spec = {}, status = {} } = pod;
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const total = (spec.containers ?? []).length + sidecars.size;
  const gated = status.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === schedulingGated);
  const first = gated === true ? schedulingGated : (status.reason ?? status.phase ?? '');
  const init = initProgress(pod, sidecars);
  const isInitialized = conditionOf(pod, 'Initialized') === 'True';
  const main = init.blocked === undefined || isInitialized ? mainProgress(pod, init.blocked ?? first) : undefined;
  const counted = main === undefined ? init.all : joined(init.sidecars, main);
  return {
    ready: `${String(init.ready + (main?.ready ?? 0))}/${String(total)}`,
    status: finalStatus(pod, main?.reason ?? init.blocked ?? first),
    restarts: counted.restarts,
    lastRestart: counted.lastRestart,
  };
}

const schedulingGated = 'SchedulingGated';

interface Restarts {
  readonly restarts: number;
  readonly lastRestart: string;
}

const noRestarts: Restarts = { restarts: 0, lastRestart: '' };

function initProgress(
  pod: Pod,
  sidecars: ReadonlySet<string | undefined>,
): { ready: number; blocked: string | undefined; all: Restarts; sidecars: Restarts } {
  const progress = { ready: 0, blocked: undefined as string | undefined, all: noRestarts, sidecars: noRestarts };
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const restarts = restartsOf(container);
    progress.all = joined(progress.all, restarts);
    const isSidecar = sidecars.has(container.name);
    if (isSidecar) progress.sidecars = joined(progress.sidecars, restarts);
    const { terminated, waiting } = container.state ?? {};
    if (terminated !== undefined && (terminated.exitCode ?? 0) === 0) continue;
    if (isSidecar && container.started === true) {
      progress.ready += Number(container.ready === true);
      continue;
    }
    const isWaiting = (waiting?.reason ?? '') !== '' && waiting?.reason !== 'PodInitializing';
    const count = `${String(index)}/${String((pod.spec?.initContainers ?? []).length)}`;
    if (terminated !== undefined) progress.blocked = `Init:${endOf(terminated)}`;
    else progress.blocked = `Init:${isWaiting ? (waiting?.reason ?? '') : count}`;
    break;
  }
  return progress;
}

function mainProgress(pod: Pod, first: string): Restarts & { readonly ready: number; readonly reason: string } {
  let [reason, ready, restarts] = [first, 0, noRestarts];
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts = joined(restarts, restartsOf(container));
    const { waiting, terminated, running } = container.state ?? {};
    if ((waiting?.reason ?? '') !== '') reason = waiting?.reason ?? '';
    else if (terminated !== undefined) reason = endOf(terminated);
    else if (container.ready === true && running !== undefined) ready += 1;
  }
  if (reason === 'Completed' && ready > 0) reason = conditionOf(pod, 'Ready') === 'True' ? 'Running' : 'NotReady';
  return { ...restarts, ready, reason };
}

function finalStatus(pod: Pod, reason: string): string {
  if (pod.metadata.deletionTimestamp === undefined) return reason;
  if (pod.status?.reason === 'NodeLost') return 'Unknown';
  return ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '') ? reason : 'Terminating';
}

function endOf({ reason = '', signal = 0, exitCode = 0 }: NonNullable<ContainerState['terminated']>): string {
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${String(exitCode)}` : `Signal:${String(signal)}`;
}

function restartsOf(status: ContainerStatus): Restarts {
  return { restarts: status.restartCount ?? 0, lastRestart: status.lastState?.terminated?.finishedAt ?? '' };
}

function joined(one: Restarts, other: Restarts): Restarts {
  const lastRestart = one.lastRestart > other.lastRestart ? one.lastRestart : other.lastRestart;
  return { restarts: one.restarts + other.restarts, lastRestart };
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

function conditionOf(pod: Pod, type: string): string | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)?.status;
}

function gates(pod: Pod): string {
  const wanted = pod.spec?.readinessGates ?? [];
  const held = wanted.filter(({ conditionType }) => conditionOf(pod, conditionType ?? '') === 'True');
  return wanted.length === 0 ? none : `${String(held.length)}/${String(wanted.length)}`;
}
