import { after } from '#base/clock.ts';
import type { PriorityLevelConfiguration } from '#kube/types/gen/flowcontrol-v1.ts';

import { dealHand } from './deal-hand.ts';

export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

interface Waiting {
  /** Virtual time of its turn. */
  readonly turn: number;
  readonly begin: () => void;
}

interface Queue {
  readonly waiting: Waiting[];
  running: number;
  /** Turn of the next that comes. */
  nextTurn: number;
}

/** A quarter of what a request may take, as upstream. */
const waitMsMost = 15_000;
/** Flows whose queues are remembered. */
const handsMost = 1000;

/**
 * Requests of one priority. Who finds no seat waits in a queue of his flow, and queues take turns (start-time fair
 * queueing): a flow with many requests delays another one's by no more than one request of each queue.
 */
export class PriorityLevel {
  readonly name: string;
  readonly configuration: PriorityLevelConfiguration;
  readonly uid: string;
  readonly isExempt: boolean;
  readonly shares: number;
  readonly lendablePercent: number;
  /** Undefined: up to what the others lend. */
  readonly borrowingPercent: number | undefined;
  readonly #queueCount: number;
  readonly #handSize: number;
  readonly #queueLengthMost: number;
  readonly #queues = new Map<number, Queue>();
  readonly #hands = new Map<string, readonly number[]>();
  #virtualTime = 0;
  /** Seats that nobody can take from it. */
  nominalSeats = 0;
  running = 0;
  waiting = 0;

  constructor(configuration: PriorityLevelConfiguration) {
    const { metadata, spec = {} } = configuration;
    const { limited, exempt } = spec;
    const queuing = limited?.limitResponse?.type === 'Queue' ? limited.limitResponse.queuing : undefined;
    this.configuration = configuration;
    this.name = metadata.name ?? '';
    this.uid = metadata.uid ?? '';
    this.isExempt = spec.type === 'Exempt';
    this.shares = (this.isExempt ? exempt?.nominalConcurrencyShares : limited?.nominalConcurrencyShares) ?? 0;
    this.lendablePercent = (this.isExempt ? exempt?.lendablePercent : limited?.lendablePercent) ?? 0;
    this.borrowingPercent = limited?.borrowingLimitPercent;
    this.#queueCount = queuing?.queues ?? 0;
    this.#handSize = queuing?.handSize ?? 0;
    this.#queueLengthMost = queuing?.queueLengthLimit ?? 0;
  }

  /** Runs at once; resolves with what ends it. */
  begin(queue?: Queue): Disposable {
    this.running += 1;
    if (queue !== undefined) queue.running += 1;
    return {
      [Symbol.dispose]: () => {
        this.running -= 1;
        if (queue !== undefined) queue.running -= 1;
      },
    };
  }

  /** Waits for `dispatch`. Rejects with what `refuse` makes of the reason. */
  async wait(flow: string, refuse: (refusal: Refusal) => Error, signal: AbortSignal): Promise<Disposable> {
    if (this.#queueCount === 0) throw refuse('concurrency-limit');
    const queue = this.#queueOf(flow);
    if (queue.waiting.length >= this.#queueLengthMost) throw refuse('queue-full');
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>();
    const turn = Math.max(this.#virtualTime, queue.nextTurn);
    queue.nextTurn = turn + 1;
    const own = { turn, begin: () => resolve(this.begin(queue)) };
    queue.waiting.push(own);
    this.waiting += 1;
    const leave = (refusal: Refusal): void => {
      const at = queue.waiting.indexOf(own);
      if (at < 0) return;
      queue.waiting.splice(at, 1);
      this.waiting -= 1;
      reject(refuse(refusal));
    };
    const onAbort = (): void => leave('cancelled');
    signal.addEventListener('abort', onAbort);
    using _ = after(waitMsMost, () => leave('time-out'));
    if (signal.aborted) onAbort();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Lets the one begin whose turn it is; false when nobody waits. */
  dispatch(): boolean {
    let first: Queue | undefined;
    for (const queue of this.#queues.values())
      if (queue.waiting.length > 0 && (first === undefined || turnOf(queue) < turnOf(first))) first = queue;
    const next = first?.waiting.shift();
    if (next === undefined) return false;
    this.#virtualTime = Math.max(this.#virtualTime, next.turn);
    this.waiting -= 1;
    next.begin();
    return true;
  }

  /** Of the flow's queues the one with the least to do. */
  #queueOf(flow: string): Queue {
    const queues = this.#handOf(flow).map((number) => {
      const queue = this.#queues.get(number) ?? { waiting: [], running: 0, nextTurn: 0 };
      this.#queues.set(number, queue);
      return queue;
    });
    return queues.reduce((best, queue) => (workOf(queue) < workOf(best) ? queue : best));
  }

  #handOf(flow: string): readonly number[] {
    const known = this.#hands.get(flow);
    if (known !== undefined) return known;
    const hand = dealHand(flow, this.#queueCount, this.#handSize);
    if (this.#hands.size >= handsMost) this.#hands.clear();
    this.#hands.set(flow, hand);
    return hand;
  }
}

function turnOf({ waiting }: Queue): number {
  return waiting[0]?.turn ?? Infinity;
}

function workOf({ waiting, running }: Queue): number {
  return waiting.length + running;
}
