import { type Clock, machineClock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { type Logger, silentLogger } from '#base/logger.ts';

import { event as eventKind } from '../kinds/core/event.ts';
import type { Resource } from '../resource.ts';
import { ApiError } from '../status.ts';
import type { Event } from '../types/gen/core-v1.ts';
import { type Client, kindOf } from './client.ts';

export interface EventRecorderOptions {
  /** Who tells, such as `kubelet`. */
  readonly component: string;
  /** Of the machine where it happened; empty: none. */
  readonly host?: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export type EventType = 'Normal' | 'Warning';

const events = kindOf<Event>(eventKind);
/** Events that are told again by counting; the oldest are forgotten first. */
const knownMost = 1000;
/** Events that wait to be written; more are dropped. */
const waitingMost = 1000;
/** Upstream's limit of a message. */
const messageLengthMost = 1024;

/**
 * Tells what happened to objects, one event after the other in the background. What is told again counts up (core/v1 Event,
 * as client-go's correlator has it). That an event cannot be written keeps nobody from working: it is dropped and logged.
 */
export class EventRecorder implements AsyncDisposable {
  readonly #client: Client;
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #known = new Map<string, Event>();
  readonly #stop = new AbortController();
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(client: Client, options: EventRecorderOptions) {
    this.#client = client;
    this.#options = options;
    this.#clock = options.clock ?? machineClock;
    this.#logger = options.logger ?? silentLogger;
  }

  readonly record = (about: Resource, type: EventType, reason: string, message: string): void => {
    if (this.#waiting >= waitingMost) {
      this.#logger.warn('event is dropped: too many wait to be written', { reason, object: about.metadata.name });
      return;
    }
    const made = this.#eventOf(about, type, reason, message.slice(0, messageLengthMost));
    this.#waiting += 1;
    this.#writing = this.#writing.then(async () => {
      this.#waiting -= 1;
      await this.#write(made).catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#logger.warn('event was not written', { reason, error });
      });
    });
  };

  /** What waits is not written any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#writing;
  }

  async #write(made: Event): Promise<void> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const key = keyOf(made);
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (known !== undefined && (await this.#countUp(known, made.lastTimestamp, key))) return;
    const stored = await this.#client.create(events, made, {}, signal);
    this.#remember(key, stored);
  }

  /** False when it is gone: events live for an hour. */
  async #countUp({ metadata, count = 1 }: Event, lastTimestamp: string | undefined, key: string): Promise<boolean> {
    const { namespace = '', name = '' } = metadata;
    const body = { count: count + 1, lastTimestamp };
    try {
      const patch = { type: 'merge', body } as const;
      this.#remember(key, await this.#client.patch(events, { namespace, name }, patch, {}, this.#stop.signal));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.statusReason === 'NotFound') return false;
      throw error;
    }
  }

  #remember(key: string, stored: Event): void {
    this.#known.set(key, stored);
    const [oldest] = this.#known.keys();
    if (this.#known.size > knownMost && oldest !== undefined) this.#known.delete(oldest);
  }

  #eventOf(about: Resource, type: EventType, reason: string, message: string): Event {
    const { component, host = '' } = this.#options;
    const { name = '', namespace, uid, resourceVersion } = about.metadata;
    const time = `${new Date(this.#clock.nowMs()).toISOString().slice(0, 19)}Z`;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${newId().slice(0, 16)}`, namespace: namespace ?? 'default' },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
      type,
      reason,
      message,
      source: { component, ...(host !== '' && { host }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: component,
      ...(host !== '' && { reportingInstance: host }),
    };
  }
}

function keyOf({ involvedObject = {}, type, reason, message }: Event): string {
  return JSON.stringify([involvedObject.kind, involvedObject.uid, involvedObject.name, type, reason, message]);
}
