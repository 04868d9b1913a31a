import { nowNs } from '#base/clock.ts';
import { type Logger, silentLogger } from '#base/logger.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { event } from '#kube/kinds/core/event.ts';
import type { Resource } from '#kube/resource.ts';
import type { Event } from '#kube/types/gen/core-v1.ts';

const events = kindOf<Event>(event);

export interface RecorderOptions {
  readonly client: Client;
  /** Such as `kubelet`. */
  readonly component: string;
  readonly nodeName: string;
  readonly nowMs: () => number;
  readonly logger?: Logger;
}

/** Events that wait to be written; more are lost, for they must not hold up what they are of. */
const waitingMost = 1000;
/** Events that are remembered, so that the same again is counted and not written anew. */
const rememberedMost = 1000;
const messageMost = 1024;

interface Remembered {
  readonly name: string;
  count: number;
}

/** Tells of objects what happened to them, in order and without keeping anybody waiting. */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #signal: AbortSignal;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: RecorderOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** `fieldPath`: what of the object it is about, such as `spec.containers{main}`. */
  readonly record = (
    object: Resource,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    fieldPath?: string,
  ): void => {
    if (this.#waiting >= waitingMost || this.#signal.aborted) return;
    this.#waiting += 1;
    this.#last = this.#last
      .then(async () => this.#write(object, type, reason, message.slice(0, messageMost), fieldPath))
      .catch((error: unknown) => {
        if (!this.#signal.aborted)
          (this.#options.logger ?? silentLogger).warn('event was not written', { reason, error });
      })
      .finally(() => {
        this.#waiting -= 1;
      });
  };

  /** Resolves when all that was told is written, or lost. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #write(object: Resource, type: string, reason: string, message: string, fieldPath?: string): Promise<void> {
    const { client, component, nodeName, nowMs } = this.#options;
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = object.metadata;
    const home = namespace === '' ? 'default' : namespace;
    const time = new Date(nowMs()).toISOString().replace(/\.\d+/, '');
    const key = [uid, fieldPath, type, reason, message].join('|');
    const before = this.#remembered.get(key);
    if (before !== undefined) {
      before.count += 1;
      const body = { count: before.count, lastTimestamp: time };
      await client.patch(events, { namespace: home, name: before.name }, { type: 'merge', body }, {}, this.#signal);
      return;
    }
    const made = `${name}.${nowNs().toString(16)}`;
    const about = { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, resourceVersion };
    await client.create(
      events,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: home, name: made },
        involvedObject: { ...about, ...(fieldPath !== undefined && { fieldPath }) },
        type,
        reason,
        message,
        source: { component, host: nodeName },
        reportingComponent: component,
        reportingInstance: nodeName,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
      {},
      this.#signal,
    );
    this.#remembered.set(key, { name: made, count: 1 });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > rememberedMost && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
