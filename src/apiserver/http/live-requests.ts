import { every, monotonicMs } from '#base/clock.ts';
import { ApiError } from '#kube/status.ts';

import type { Exchange } from './exchange.ts';

/** Of requests that are no streams. */
const requestTimeoutMs = 60_000;
const checkPeriodMs = 1000;

/**
 * The requests that are being answered, each with one signal: it aborts when the client leaves, when the time is up, and when
 * the server ends. One timer serves all of them, and nothing is left behind on signals that live longer than a request.
 */
export class LiveRequests implements Disposable {
  /** In the order in which they began. */
  readonly #running = new Set<LiveRequest>();
  readonly #timer: Disposable;

  readonly #monotonicMs: () => number;

  constructor(now: () => number = monotonicMs) {
    this.#monotonicMs = now;
    this.#timer = every(checkPeriodMs, () => this.#endLate());
  }

  /** Notes a request until it is disposed of. */
  begin(exchange: Exchange): LiveRequest {
    const request = new LiveRequest(exchange, this.#monotonicMs(), (ended) => this.#running.delete(ended));
    this.#running.add(request);
    return request;
  }

  /** Ends all of them, as those that come later have no server any more. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    const why = new ApiError('ServiceUnavailable', 'the server is shutting down', { retryAfterSeconds: 1 });
    for (const request of this.#running) request.end(why);
  }

  #endLate(): void {
    const latestStartMs = this.#monotonicMs() - requestTimeoutMs;
    for (const request of this.#running) {
      if (request.startMs > latestStartMs) return;
      if (!request.isStream)
        request.end(new ApiError('Timeout', 'Timeout: request did not complete within the allotted timeout'));
    }
  }
}

export class LiveRequest implements Disposable {
  readonly startMs: number;
  /** It lasts as long as its client wants. */
  isStream = false;
  readonly #aborting = new AbortController();
  readonly #forget: (request: LiveRequest) => void;
  #why: ApiError | undefined;

  constructor(exchange: Exchange, startMs: number, forget: (request: LiveRequest) => void) {
    this.startMs = startMs;
    this.#forget = forget;
    exchange.whenGone(() => this.#aborting.abort(new Error('the client has left')));
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** What the client is told of a request that the server gave up; undefined: it did not. */
  get why(): ApiError | undefined {
    return this.#why;
  }

  end(why: ApiError): void {
    this.#why ??= why;
    this.#aborting.abort(why);
  }

  [Symbol.dispose](): void {
    this.#forget(this);
  }
}
