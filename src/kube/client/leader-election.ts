import { type Clock, machineClock, waitFor } from '#base/clock.ts';
import { randomBelow } from '#base/ids.ts';
import { type Logger, silentLogger } from '#base/logger.ts';

import { lease as leaseKind } from '../kinds/coordination/lease.ts';
import { ApiError } from '../status.ts';
import type { Lease, LeaseSpec } from '../types/gen/coordination-v1.ts';
import { type Client, kindOf, type ObjectKey } from './client.ts';

const leases = kindOf<Lease>(leaseKind);

export interface LeaderOptions {
  /** The lease that all candidates ask for. */
  readonly lease: ObjectKey;
  /** No two candidates have the same. */
  readonly identity: string;
  /** How long others wait for a leader that says nothing. */
  readonly leaseMs?: number;
  /** How long a leader tries to renew before it stops; well below `leaseMs`, so that there are never two. */
  readonly renewMs?: number;
  readonly retryMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/**
 * Does the work while this candidate holds the lease, as kube's leader election does: the work's signal aborts when the
 * lease is lost, and when the work ends or the signal aborts the lease is given up at once. Waits again after a loss;
 * ends when the work ends by itself, or by the signal.
 */
export async function leadAndWork(
  client: Client,
  options: LeaderOptions,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(client, options);
  while (!signal.aborted) {
    if (!(await candidate.acquire(signal))) return;
    if (await candidate.leadFor(work, signal)) return;
  }
}

class Candidate {
  readonly #client: Client;
  readonly #options: LeaderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  /** The lease as it was seen last, and when by our own clock: those of others may be wrong. */
  #seen: Lease | undefined;
  #seenAtMs = 0;

  constructor(client: Client, options: LeaderOptions) {
    this.#client = client;
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
    this.#logger = (options.logger ?? silentLogger).with({ lease: options.lease.name });
    this.#leaseMs = options.leaseMs ?? 15_000;
    this.#renewMs = options.renewMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2_000;
  }

  /** Waits for the lease; false when the signal aborted first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#tryToHold(signal)) return true;
      await this.#pause(signal);
    }
    return false;
  }

  /** Works while the lease can be renewed; whether the work ended by itself. */
  async leadFor(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<boolean> {
    this.#logger.info('leads');
    const lost = new AbortController();
    const ended = new AbortController();
    const renewing = this.#renew(AbortSignal.any([signal, ended.signal])).then((isLost) => {
      if (isLost) lost.abort(new Error('the lease was lost'));
    });
    try {
      await work(AbortSignal.any([signal, lost.signal]));
      return !lost.signal.aborted;
    } catch (error) {
      if (lost.signal.aborted && !signal.aborted) return false;
      if (signal.aborted) return true;
      throw error;
    } finally {
      ended.abort();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
      this.#logger.info('leads no longer', { isLost: lost.signal.aborted });
    }
  }

  /** Renews until the signal aborts; true when it did not succeed for too long. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    let renewedAtMs = this.#clock.nowMs();
    for (;;) {
      await this.#pause(signal);
      if (signal.aborted) return false;
      const leftMs = renewedAtMs + this.#renewMs - this.#clock.nowMs();
      if (leftMs <= 0) return true;
      const late = new AbortController();
      using _ = this.#clock.after(leftMs, () => late.abort());
      if (await this.#tryToHold(AbortSignal.any([signal, late.signal]))) renewedAtMs = this.#clock.nowMs();
      else if (signal.aborted) return false;
      else if (late.signal.aborted || this.#isHeldByOther()) return true;
    }
  }

  /** Takes or renews the lease when it is ours, free or run out. */
  async #tryToHold(signal: AbortSignal): Promise<boolean> {
    try {
      const current = await this.#read(signal);
      if (current === undefined) {
        const object: Lease = { ...this.#bare(), spec: this.#specAfter(undefined) };
        this.#note(await this.#client.create(leases, object, {}, signal));
        return true;
      }
      if (this.#isHeldByOther() && !this.#hasRunOut(current)) return false;
      const next: Lease = { ...current, spec: this.#specAfter(current.spec) };
      this.#note(await this.#client.update(leases, next, {}, signal));
      return true;
    } catch (error) {
      if (!signal.aborted) this.#logger.debug('the lease was not got', { error });
      return false;
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      const lease = await this.#client.get(leases, this.#options.lease, signal);
      if (lease.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion) this.#note(lease);
      return lease;
    } catch (error) {
      if (error instanceof ApiError && error.statusReason === 'NotFound') return undefined;
      throw error;
    }
  }

  /** Gives the lease up, so that the next leader need not wait. */
  async #release(): Promise<void> {
    const late = new AbortController();
    using _ = this.#clock.after(this.#renewMs, () => late.abort());
    const held = this.#seen;
    if (held?.spec?.holderIdentity !== this.#options.identity) return;
    const now = this.#now();
    const spec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    await this.#client.update(leases, { ...held, spec }, {}, late.signal).catch((error: unknown) => {
      this.#logger.debug('the lease was not given up', { error });
    });
  }

  #note(lease: Lease): void {
    this.#seen = lease;
    this.#seenAtMs = this.#clock.nowMs();
  }

  #isHeldByOther(): boolean {
    const holder = this.#seen?.spec?.holderIdentity ?? '';
    return holder !== '' && holder !== this.#options.identity;
  }

  /** Nobody renewed it for its whole duration since we saw it change. */
  #hasRunOut({ spec }: Lease): boolean {
    const durationMs = (spec?.leaseDurationSeconds ?? this.#leaseMs / 1000) * 1000;
    return this.#clock.nowMs() >= this.#seenAtMs + durationMs;
  }

  #specAfter(old: LeaseSpec | undefined): LeaseSpec {
    const { identity } = this.#options;
    const now = this.#now();
    const isOurs = old?.holderIdentity === identity;
    const transitions = (old?.leaseTransitions ?? 0) + (old === undefined || isOurs ? 0 : 1);
    return {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
      acquireTime: isOurs ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: transitions,
    };
  }

  #bare(): Lease {
    const { name, namespace } = this.#options.lease;
    return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } };
  }

  /** Six digits of a second, as MicroTime has. */
  #now(): string {
    return new Date(this.#clock.nowMs()).toISOString().replace('Z', '000Z');
  }

  /** Up to a fifth longer, so that candidates do not ask together. */
  async #pause(signal: AbortSignal): Promise<void> {
    const pauseMs = this.#retryMs + randomBelow(Math.ceil(this.#retryMs / 5) + 1);
    await waitFor(pauseMs, this.#clock, signal).catch(() => undefined);
  }
}
