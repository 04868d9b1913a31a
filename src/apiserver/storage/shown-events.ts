import { StatusError } from '#base/errors.ts';

import type { View } from '../resources/served-resource.ts';
import type { ObjectEvent } from './object-cache.ts';
import type { StoredObject } from './stored-object.ts';

/** Events that wait for a view that is slower than the writers. */
const waitingMost = 10_000;

/** Gives events on as a version shows them, in their order; those that wait for the view are converted together. */
export class ShownEvents {
  readonly #view: View;
  readonly #signal: AbortSignal;
  #waiting: ObjectEvent[] = [];
  #isRunning = false;

  constructor(view: View, signal: AbortSignal) {
    this.#view = view;
    this.#signal = signal;
  }

  /** Whether events have come that were not given on yet. */
  get isWaiting(): boolean {
    return this.#isRunning;
  }

  /** After a failure the caller pushes nothing more. */
  push(event: ObjectEvent, onEvent: (event: ObjectEvent) => void, onFailure: (error: unknown) => void): void {
    this.#waiting.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#drain(onEvent)
      .catch((error: unknown) => {
        this.#waiting = [];
        if (!this.#signal.aborted) onFailure(error);
      })
      .finally(() => (this.#isRunning = false));
  }

  async #drain(onEvent: (event: ObjectEvent) => void): Promise<void> {
    while (this.#waiting.length > 0) {
      const events = this.#waiting;
      this.#waiting = [];
      if (events.length > waitingMost)
        throw new StatusError('Expired', 'too old resource version: the conversion of objects is too slow');
      for (const event of await this.#shown(events)) onEvent(event);
    }
  }

  async #shown(events: readonly ObjectEvent[]): Promise<readonly ObjectEvent[]> {
    const states = new Set(events.flatMap(statesOf));
    const stored = [...states];
    const shown = await this.#view(stored, this.#signal);
    const byState = new Map(stored.map((one, index) => [one, shown[index] ?? one]));
    const of = (state: StoredObject): StoredObject => byState.get(state) ?? state;
    return events.map((event) => {
      const before = event.before === undefined ? undefined : of(event.before);
      // A removal shows the state before it.
      const object = event.isRemoval && before !== undefined ? before.at(event.revision) : of(event.object);
      return { ...event, object, before };
    });
  }
}

function statesOf({ object, before, isRemoval }: ObjectEvent): readonly StoredObject[] {
  if (before === undefined) return [object];
  return isRemoval ? [before] : [before, object];
}
