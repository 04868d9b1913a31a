import type { Waiting } from '../lifecycle/container-statuses.ts';

/** Registries are asked again later each time; what somebody may put right at any moment is looked at as often. */
const pullMs = { first: 10_000, most: 300_000 };
const otherMs = 5000;

interface Failure {
  readonly waiting: Waiting;
  readonly untilMs: number;
  readonly failures: number;
}

/** Containers of pods that could not be started, and when each is to be tried again. */
export class StartBackoffs {
  /** By pod, then by what was tried. */
  readonly #failures = new Map<string, Map<string, Failure>>();

  /** What a container waits for that is not to be tried again yet. */
  blocked(uid: string, what: string, nowMs: number): Failure | undefined {
    const failure = this.#failures.get(uid)?.get(what);
    return failure !== undefined && nowMs < failure.untilMs ? failure : undefined;
  }

  /** Notes a failure; returns when to try again, in milliseconds since the epoch. */
  failed(uid: string, what: string, waiting: Waiting, nowMs: number): number {
    const ofPod = this.#failures.get(uid) ?? new Map<string, Failure>();
    const failures = (ofPod.get(what)?.failures ?? 0) + 1;
    const isPull = waiting.reason === 'ErrImagePull';
    const delayMs = isPull ? Math.min(pullMs.first * 2 ** (failures - 1), pullMs.most) : otherMs;
    const untilMs = nowMs + delayMs;
    ofPod.set(what, { waiting, untilMs, failures });
    this.#failures.set(uid, ofPod);
    return untilMs;
  }

  worked(uid: string, what: string): void {
    this.#failures.get(uid)?.delete(what);
  }

  forget(uid: string): void {
    this.#failures.delete(uid);
  }
}

/** How a container's waiting is told while it is not tried: upstream has a word of its own for images. */
export function backingOff({ reason, message }: Waiting, image: string): Waiting {
  if (reason !== 'ErrImagePull') return { reason, message };
  return { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${message}` };
}
