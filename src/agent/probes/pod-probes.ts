import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Container, Pod, Probe } from '#kube/types/gen/core-v1.ts';

import type { ContainerRun, ProbeState } from '../lifecycle/pod-now.ts';
import type { Prober } from './prober.ts';
import type { ProbeResult } from './probe-result.ts';

export interface PodProbesOptions {
  readonly prober: Prober;
  readonly record: (pod: Pod, type: 'Warning', reason: string, message: string, fieldPath?: string) => void;
  /** A container is another as far as its pod's status tells. */
  readonly onChange: (pod: Pod) => void;
  readonly clock?: Clock;
}

interface Followed {
  readonly uid: string;
  readonly stop: AbortController;
  state: ProbeState;
}

type Kind = 'startup' | 'liveness' | 'readiness';

/** Upstream's defaults, where the API filled none. */
const defaults = { periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };
const kinds = { startup: 'startupProbe', liveness: 'livenessProbe', readiness: 'readinessProbe' } as const;
const titles = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' } as const;

/** Asks the containers that run how they are, as their probes say, for as long as they run. */
export class PodProbes implements Disposable {
  readonly #options: PodProbesOptions;
  readonly #clock: Clock;
  readonly #followed = new Map<string, Followed>();

  constructor(options: PodProbesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
  }

  /** What is known of a run; undefined: nobody asks it. */
  stateOf(runId: string): ProbeState | undefined {
    return this.#followed.get(runId)?.state;
  }

  /** Begins to ask a run, once. What the pod's status said of it holds until there is an answer. */
  follow(pod: Pod, container: Container, run: ContainerRun, address: string, containerId: string): void {
    if (this.#followed.has(run.id) || Object.values(kinds).every((field) => container[field] === undefined)) return;
    const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    const before = all.find((status) => status.containerID === containerId);
    const state = {
      started: container.startupProbe === undefined || before?.started === true,
      ready: container.readinessProbe === undefined || before?.ready === true,
      failed: undefined,
    };
    const followed: Followed = { uid: pod.metadata.uid ?? '', stop: new AbortController(), state };
    this.#followed.set(run.id, followed);
    void this.#ask(pod, container, run, address, followed);
  }

  /** Asks those runs of a pod alone that still run. */
  keepOnly(uid: string, runIds: readonly string[]): void {
    for (const [id, followed] of this.#followed) if (followed.uid === uid && !runIds.includes(id)) this.#forget(id);
  }

  [Symbol.dispose](): void {
    for (const id of this.#followed.keys()) this.#forget(id);
  }

  #forget(id: string): void {
    this.#followed.get(id)?.stop.abort();
    this.#followed.delete(id);
  }

  async #ask(pod: Pod, container: Container, run: ContainerRun, address: string, followed: Followed): Promise<void> {
    const loop = async (kind: Kind): Promise<void> => {
      const probe = container[kinds[kind]];
      if (probe !== undefined) await this.#loop(kind, probe, { pod, container, run, address, followed });
    };
    try {
      if (!followed.state.started) await loop('startup');
      if (followed.state.started) await Promise.all([loop('liveness'), loop('readiness')]);
    } catch (error) {
      if (!followed.stop.signal.aborted) throw error;
    }
  }

  async #loop(kind: Kind, probe: Probe, about: About): Promise<void> {
    const { pod, run, followed } = about;
    const { signal } = followed.stop;
    const { periodSeconds, successThreshold, failureThreshold } = { ...defaults, ...probe };
    const beginsMs = Date.parse(run.startedAt) + (probe.initialDelaySeconds ?? 0) * 1000;
    const delayMs = beginsMs - this.#clock.nowMs();
    if (delayMs > 0) await waitFor(delayMs, this.#clock, signal);
    for (let [successes, failures] = [0, 0]; ; await waitFor(periodSeconds * 1000, this.#clock, signal)) {
      const { ok, message } = await this.#once(probe, about);
      [successes, failures] = ok ? [successes + 1, 0] : [0, failures + 1];
      if (!ok) {
        const field = `spec.containers{${run.name}}`;
        this.#options.record(pod, 'Warning', 'Unhealthy', `${titles[kind]} probe failed: ${message}`, field);
      }
      if (successes >= successThreshold) this.#set(about, okOf(kind, followed.state));
      else if (failures >= failureThreshold) this.#set(about, failedOf(kind, followed.state, probe));
      if (followed.state.failed !== undefined || (kind === 'startup' && followed.state.started)) return;
    }
  }

  async #once(probe: Probe, { container, run, address, followed }: About): Promise<ProbeResult> {
    const { signal } = followed.stop;
    const timeoutMs = (probe.timeoutSeconds ?? defaults.timeoutSeconds) * 1000;
    try {
      return await this.#options.prober(probe, { container, containerId: run.id, address }, timeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { ok: false, message: messageOf(error) };
    }
  }

  #set({ pod, followed }: About, state: ProbeState): void {
    const { started, ready, failed } = followed.state;
    followed.state = state;
    if (started !== state.started || ready !== state.ready || failed !== state.failed) this.#options.onChange(pod);
  }
}

interface About {
  readonly pod: Pod;
  readonly container: Container;
  readonly run: ContainerRun;
  readonly address: string;
  readonly followed: Followed;
}

function okOf(kind: Kind, state: ProbeState): ProbeState {
  if (kind === 'startup') return { ...state, started: true };
  return kind === 'readiness' ? { ...state, ready: true } : state;
}

function failedOf(kind: Kind, state: ProbeState, { terminationGracePeriodSeconds }: Probe): ProbeState {
  if (kind === 'readiness') return { ...state, ready: false };
  return { ...state, failed: { kind, graceSeconds: terminationGracePeriodSeconds } };
}
