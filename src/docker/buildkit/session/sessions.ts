import { Arrivals } from '#base/arrivals.ts';
import { deadline } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';

import type { ClientSession } from './client-session.ts';

/** How long a build waits for the session that it names, as in BuildKit: clients open both at once. */
const waitMs = 5_000;

/** The clients' sessions that are open, by ID. */
export class Sessions {
  readonly #open = new Arrivals<ClientSession>();

  /** Throws Conflict when there is a session of that ID. */
  checkFree(id: string): void {
    if (this.#open.has(id)) throw new StatusError('Conflict', `session ${id} already exists`);
  }

  /** Serves a session until its client is gone. */
  async serve(session: ClientSession, signal: AbortSignal): Promise<void> {
    using _ = this.#open.add(session.id, session);
    await session.run(signal);
  }

  /** The session of an ID, once it is there. Throws NotFound. */
  async get(id: string, signal: AbortSignal): Promise<ClientSession> {
    const session = await this.#open.get(id, deadline(waitMs, signal));
    if (session !== undefined) return session;
    signal.throwIfAborted();
    throw new StatusError('NotFound', `no active session for ${id}: context deadline exceeded`);
  }
}
