import type { Encodable } from '#formats/protobuf/message.ts';

import type { statusResponse } from '../messages/control-messages.ts';

type StatusResponse = Encodable<typeof statusResponse>;

/** Items in one message to a client. */
const maximumBatch = 200;

/**
 * What happened in one build, from its beginning, for clients that may come later. Bounded by what a build says: progress
 * is thinned out and output is clipped by the one who writes here.
 */
export class StatusLog {
  readonly #items: StatusResponse[] = [];
  readonly #waiting = new Set<() => void>();
  #closed = false;

  add(item: StatusResponse): void {
    this.#items.push(item);
    this.#wake();
  }

  /** Ends all readers once they have read what is there. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<StatusResponse, void, undefined> {
    for (let next = 0; ;) {
      while (next < this.#items.length) {
        const batch = this.#items.slice(next, next + maximumBatch);
        next += batch.length;
        yield joined(batch);
      }
      if (this.#closed) return;
      signal.throwIfAborted();
      await this.#more(signal);
    }
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}

function joined(batch: readonly StatusResponse[]): StatusResponse {
  return {
    vertexes: batch.flatMap(({ vertexes = [] }) => vertexes),
    statuses: batch.flatMap(({ statuses = [] }) => statuses),
    logs: batch.flatMap(({ logs = [] }) => logs),
    warnings: batch.flatMap(({ warnings = [] }) => warnings),
  };
}
