import { type Clock, machineClock } from '#base/clock.ts';
import type { Pod, ServiceAccountTokenProjection } from '#kube/types/gen/core-v1.ts';

import type { IssuedToken, PodSources } from '../environment/pod-sources.ts';

interface Kept extends IssuedToken {
  readonly askedAtMs: number;
}

const defaultSeconds = 3600;
/** A token is asked for anew when this part of its time is over, or a day. */
const renewAfter = 0.8;
const renewAfterMs = 24 * 3_600_000;

/** The tokens of pods, each asked for once and anew before it ends. */
export class PodTokens {
  readonly #source: Pick<PodSources, 'token'>;
  readonly #clock: Clock;
  /** By pod, then by what was asked for. */
  readonly #tokens = new Map<string, Map<string, Kept>>();

  constructor(source: Pick<PodSources, 'token'>, clock: Clock = machineClock) {
    this.#source = source;
    this.#clock = clock;
  }

  async get(pod: Pod, projection: ServiceAccountTokenProjection, signal: AbortSignal): Promise<string> {
    const { audience = '', expirationSeconds = defaultSeconds } = projection;
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const key = `${String(expirationSeconds)} ${audience}`;
    const ofPod = this.#tokens.get(uid) ?? new Map<string, Kept>();
    const kept = ofPod.get(key);
    const askedAtMs = this.#clock.nowMs();
    if (kept !== undefined && !isOld(kept, askedAtMs)) return kept.token;
    const serviceAccount = pod.spec?.serviceAccountName ?? 'default';
    const order = { namespace, serviceAccount, audience, expirationSeconds, pod: { name, uid } };
    try {
      const issued = await this.#source.token(order, signal);
      ofPod.set(key, { ...issued, askedAtMs });
      this.#tokens.set(uid, ofPod);
      return issued.token;
    } catch (error) {
      // The old one is still good: the next look at the pod asks again.
      if (kept !== undefined && kept.expiresAtMs > askedAtMs) return kept.token;
      throw error;
    }
  }

  forget(uid: string): void {
    this.#tokens.delete(uid);
  }
}

function isOld({ askedAtMs, expiresAtMs }: Kept, nowMs: number): boolean {
  const age = nowMs - askedAtMs;
  return age > renewAfterMs || age >= (expiresAtMs - askedAtMs) * renewAfter;
}
