import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

/** What the probes of a running container have found. */
export interface ProbeState {
  readonly started: boolean;
  readonly ready: boolean;
  /** It has to end, and is started again as its pod's policy says. */
  readonly failed: { readonly kind: 'startup' | 'liveness'; readonly graceSeconds: number | undefined } | undefined;
}

/** One run of a container of a pod, as the engine has it. */
export interface ContainerRun {
  /** The engine's. */
  readonly id: string;
  readonly name: string;
  /** How often the container was started before. */
  readonly attempt: number;
  /** `created`: its start was cut off, or failed. */
  readonly state: 'created' | 'running' | 'exited';
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly imageId: string;
  /** undefined: it has no probes. */
  readonly probes?: ProbeState | undefined;
  /** What it said of its end. */
  readonly message?: string;
}

/** What there is of a pod on this node. */
export interface PodNow {
  readonly sandbox: { readonly id: string; readonly ips: readonly string[] } | undefined;
  readonly runs: readonly ContainerRun[];
}

/** The newest run of a container. */
export function latestOf({ runs }: PodNow, name: string): ContainerRun | undefined {
  return runsOf(runs, name)[0];
}

/** The runs of a container, newest first. */
export function runsOf(runs: readonly ContainerRun[], name: string): readonly ContainerRun[] {
  return runs.filter((run) => run.name === name).sort((one, other) => other.attempt - one.attempt);
}

/** Whether an init container goes on while the others run. */
export function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}

/** Whether a container that has ended is to be started again. */
export function isRestarted({ spec }: Pod, container: Container, run: ContainerRun): boolean {
  const isInit = spec?.initContainers?.includes(container) === true;
  if (isInit && isSidecar(container)) return true;
  const policy = spec?.restartPolicy ?? 'Always';
  if (isInit) return run.exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && run.exitCode !== 0);
}
