import type { BuildEvent } from './builder.ts';

/** Bytes of output that a stage may hold back until its turn; older output is dropped then. */
const maxHeldBytes = 1024 * 1024;
const maxPieceBytes = 16 * 1024;

interface Held {
  events: BuildEvent[];
  bytes: number;
  dropped: boolean;
  done: boolean;
}

/**
 * Puts the events of stages that are built at once into one readable order: the first unfinished stage speaks directly,
 * the others are held back until those before them are done.
 */
export class EventOrder {
  readonly #emit: (event: BuildEvent) => void;
  readonly #held: readonly Held[];
  #turn = 0;

  constructor(stages: number, emit: (event: BuildEvent) => void) {
    this.#emit = emit;
    this.#held = Array.from({ length: stages }, () => ({ events: [], bytes: 0, dropped: false, done: false }));
  }

  /** An event of the stage at `position` in the plan. */
  push(position: number, event: BuildEvent): void {
    const held = this.#held[position];
    if (position === this.#turn || held === undefined) {
      this.#emit(event);
      return;
    }
    // Nobody wants to see later how far a transfer was.
    if (event.kind === 'progress' && event.currentBytes !== undefined) return;
    if (event.kind !== 'output') held.events.push(event);
    else hold(held, event.bytes);
  }

  /** The stage is built, or was given up. */
  finish(position: number): void {
    const finished = this.#held[position];
    if (finished !== undefined) finished.done = true;
    while (this.#held[this.#turn]?.done === true) {
      this.#turn += 1;
      this.#release(this.#held[this.#turn]);
    }
  }

  /** A stage failed: everything that is held back is said, that of the failed stage last. */
  fail(position: number): void {
    for (const [index, held] of this.#held.entries()) if (index !== position) this.#release(held);
    this.#release(this.#held[position]);
    this.#turn = position;
  }

  #release(held: Held | undefined): void {
    if (held === undefined) return;
    if (held.dropped) this.#emit({ kind: 'warning', text: 'Earlier output of this stage was too long to keep' });
    for (const event of held.events.splice(0)) this.#emit(event);
    held.bytes = 0;
    held.dropped = false;
  }
}

/** Small pieces are put together, so that their number is bounded as well. */
function hold(held: Held, bytes: Uint8Array): void {
  const last = held.events.at(-1);
  held.bytes += bytes.length;
  if (last?.kind === 'output' && last.bytes.length + bytes.length <= maxPieceBytes)
    held.events[held.events.length - 1] = { kind: 'output', bytes: Buffer.concat([last.bytes, bytes]) };
  else held.events.push({ kind: 'output', bytes });
  while (held.bytes > maxHeldBytes) dropOldest(held);
}

function dropOldest(held: Held): void {
  const index = held.events.findIndex(({ kind }) => kind === 'output');
  const [event] = held.events.splice(index, 1);
  if (event?.kind === 'output') held.bytes -= event.bytes.length;
  held.dropped = true;
}
