import { monotonicMs } from '#base/clock.ts';

/** Asks etcd for a lease of so many seconds; resolves with its ID. */
type Grant = (ttl: bigint, signal: AbortSignal) => Promise<bigint>;

interface Lease {
  readonly id: Promise<bigint>;
  readonly grantedMs: number;
  uses: number;
}

/** Keys of one lease: etcd removes them one by one when it ends. */
const usesMost = 500;
/** A lease is given to more keys for this part of its time; it is granted for as much longer. */
const sharedPart = 0.05;
const sharedMsMost = 60_000;
/** Times to live that are in use. */
const leasesMost = 100;

/** Leases of etcd for values that go by themselves; values that come soon after each other share one. */
export class LeasePool {
  readonly #grant: Grant;
  readonly #leases = new Map<number, Lease>();

  constructor(grant: Grant) {
    this.#grant = grant;
  }

  /** The ID of a lease that lasts at least so long. */
  async leaseFor(ttlSeconds: number, signal: AbortSignal): Promise<bigint> {
    const sharedMs = Math.min(ttlSeconds * 1000 * sharedPart, sharedMsMost);
    const present = this.#leases.get(ttlSeconds);
    if (present !== undefined && present.uses < usesMost && monotonicMs() - present.grantedMs < sharedMs) {
      present.uses += 1;
      return await present.id;
    }
    const id = this.#grant(BigInt(ttlSeconds + Math.floor(sharedMs / 1000)), signal);
    const lease = { id, grantedMs: monotonicMs(), uses: 1 };
    if (this.#leases.size >= leasesMost) this.#leases.clear();
    this.#leases.set(ttlSeconds, lease);
    try {
      return await id;
    } catch (error) {
      if (this.#leases.get(ttlSeconds) === lease) this.#leases.delete(ttlSeconds);
      throw error;
    }
  }
}
