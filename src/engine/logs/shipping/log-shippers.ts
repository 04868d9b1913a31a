import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { after, sleep } from '#base/clock.ts';
import type { Logger } from '#base/logger.ts';

import type { LogSettings } from '../log-config.ts';
import type { LogOrigin } from '../log-origin.ts';
import type { LogSource } from '../read-steps.ts';
import { removeCursor } from './cursor.ts';
import { openSink } from './open-sink.ts';
import { Shipper } from './shipper.ts';

export interface LogShippersOptions {
  /** Durable: how far each log was sent. This room's own. */
  readonly folder: string;
  /** journald's socket. */
  readonly journalSocket: string;
  readonly logger: Logger;
}

interface Shipment {
  /** Where it goes on when its source has finished. */
  next: LogSource | undefined;
  readonly stop: AbortController;
  readonly shipper: Shipper;
  ended: Promise<void>;
}

/** A container that goes waits as long for the rest of its output to be received, less when nobody is there. */
const farewellMs = { reachable: 5_000, away: 1_000 };
/** The word on what is just being sent comes sooner, when somebody is there. */
const restMs = 500;
const suffix = '.json';

/** Sends the logs of containers to where their options say. */
export class LogShippers implements AsyncDisposable {
  readonly #options: LogShippersOptions;
  readonly #shipments = new Map<string, Shipment>();
  readonly #rest = new AbortController();

  constructor(options: LogShippersOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  }

  /** Sends what a source has and will have, from where it stopped. A second source of a container follows the first. */
  ship(origin: LogOrigin, settings: LogSettings, source: LogSource): void {
    if (settings.target === undefined) return;
    const known = this.#shipments.get(origin.id);
    if (known !== undefined) {
      known.next = source;
      return;
    }
    const { target } = settings;
    const { journalSocket } = this.#options;
    const logger = this.#options.logger.with({ container: origin.id, driver: target.driver });
    const shipper = new Shipper({
      cursorPath: this.#path(origin.id),
      rest: this.#rest.signal,
      target,
      settings,
      openSink: (signal) => openSink(target, { origin, journalSocket, logger }, signal),
      logger,
    });
    const shipment: Shipment = { next: source, stop: new AbortController(), shipper, ended: Promise.resolve() };
    this.#shipments.set(origin.id, shipment);
    shipment.ended = this.#run(origin.id, shipment, logger);
  }

  /** For a container that goes: gives its last lines a moment, and forgets it. */
  async finish(id: string): Promise<void> {
    const shipment = this.#shipments.get(id);
    if (shipment !== undefined) {
      const limit = new AbortController();
      const waitMs = shipment.shipper.isFailing ? farewellMs.away : farewellMs.reachable;
      await Promise.race([shipment.ended, sleep(waitMs, limit.signal).catch(() => {})]);
      limit.abort();
      if (this.#shipments.has(id))
        this.#options.logger.warn('a container goes, and not all of its output was received', { container: id });
      shipment.stop.abort(new Error('the container is gone'));
      await shipment.ended;
    }
    removeCursor(this.#path(id));
  }

  /** Forgets containers that are not among those. */
  sweep(isKnown: (id: string) => boolean): void {
    for (const name of readdirSync(this.#options.folder))
      if (!name.endsWith(suffix) || !isKnown(name.slice(0, -suffix.length)))
        removeCursor(join(this.#options.folder, name));
  }

  /** Stops sending; what was not sent is sent after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#shipments.values()];
    const end = new Error('the platform ends');
    this.#rest.abort(end);
    const ended = Promise.all(all.map((shipment) => shipment.ended));
    using _ = after(restMs, () => all.forEach(({ stop }) => stop.abort(end)));
    await ended;
  }

  async #run(id: string, shipment: Shipment, logger: Logger): Promise<void> {
    const { shipper, stop } = shipment;
    try {
      for (let source = take(shipment); source !== undefined; source = take(shipment))
        await shipper.run(source, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted && !this.#rest.signal.aborted) logger.error('output is not sent any more', { error });
    } finally {
      this.#shipments.delete(id);
    }
  }

  #path(id: string): string {
    return join(this.#options.folder, `${id}${suffix}`);
  }
}

function take(shipment: Shipment): LogSource | undefined {
  const { next } = shipment;
  shipment.next = undefined;
  return next;
}
