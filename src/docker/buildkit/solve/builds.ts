import { Arrivals } from '#base/arrivals.ts';
import { deadline } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';

import type { ActiveBuild } from './active-build.ts';

/** How long a call waits for the build that it names: clients begin it and ask about it at once. */
const waitMs = 5_000;
/** Builds at once, those that wait for their turn included. */
const maximumBuilds = 256;

/** References of ended builds that are remembered, so that nobody waits for them. */
const maximumEnded = 256;

/** The builds that clients have begun, by their reference. */
export class Builds {
  readonly #active = new Arrivals<ActiveBuild>();
  readonly #ended = new Set<string>();

  /** Disposing forgets it. Throws Conflict when there is one of its reference. */
  add(build: ActiveBuild): Disposable {
    const { ref } = build;
    if (ref === '' || this.#active.has(ref)) throw new StatusError('Conflict', `build ID ${ref} exists`);
    if (this.#active.size >= maximumBuilds) {
      const many = String(maximumBuilds);
      throw new StatusError('Unavailable', `Cannot build: ${many} builds are under way; try again later`);
    }
    const added = this.#active.add(ref, build);
    return {
      [Symbol.dispose]: () => {
        added[Symbol.dispose]();
        this.#forget(ref);
      },
    };
  }

  /** Whether there was a build of a reference lately. */
  hasEnded(ref: string): boolean {
    return this.#ended.has(ref);
  }

  /** The build of a reference, once it has begun. Throws NotFound. */
  async get(ref: string, signal: AbortSignal): Promise<ActiveBuild> {
    const build = this.hasEnded(ref) ? undefined : await this.#active.get(ref, deadline(waitMs, signal));
    if (build !== undefined) return build;
    signal.throwIfAborted();
    throw new StatusError('NotFound', `no such job ${ref}`);
  }

  #forget(ref: string): void {
    this.#ended.add(ref);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= maximumEnded) return;
      this.#ended.delete(oldest);
    }
  }
}
