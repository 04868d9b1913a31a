import type { Program } from './compile-program.ts';
import { Effort } from './effort.ts';
import { holds, neighbourOf, type Neighbour } from './position.ts';
import { SeenSteps } from './seen-steps.ts';

/** Steps at which a match may be after what was read so far, as one state; where each character leads is kept. */
interface State {
  readonly steps: readonly number[];
  readonly before: Neighbour;
  /** By ASCII code, and by other code points. */
  readonly next: (State | 'match' | undefined)[];
  readonly others: Map<number, State | 'match'>;
}

/** States that are kept; then all are forgotten and made anew. */
const statesMost = 256;
const asciiCount = 128;
/** Of a state, for characters beyond ASCII; then they are forgotten. */
const othersMost = 256;

/** Says whether a text matches, in a step per character once its states are known: a program as an automaton made on the way. */
export class Automaton {
  readonly #program: Program;
  readonly #states = new Map<string, State>();
  readonly #seen: SeenSteps;

  constructor(program: Program) {
    this.#program = program;
    this.#seen = new SeenSteps(program.steps.length);
  }

  /** Throws TooLarge when text and program together are more than is taken on. */
  test(text: string): boolean {
    const effort = new Effort();
    let state = this.#state([this.#program.start], 'none');
    for (let at = 0; at < text.length;) {
      const codePoint = text.codePointAt(at) ?? 0;
      const next = this.#next(state, codePoint, effort);
      if (next === 'match') return true;
      state = next;
      at += codePoint > 0xffff ? 2 : 1;
    }
    return this.#follow(state, 'none', effort) === 'match';
  }

  #next(state: State, codePoint: number, effort: Effort): State | 'match' {
    const { next, others } = state;
    const known = codePoint < asciiCount ? next[codePoint] : others.get(codePoint);
    if (known !== undefined) return known;
    const made = this.#advance(state, codePoint, effort);
    if (codePoint < asciiCount) next[codePoint] = made;
    else {
      if (others.size >= othersMost) others.clear();
      others.set(codePoint, made);
    }
    return made;
  }

  #advance(state: State, codePoint: number, effort: Effort): State | 'match' {
    const kind = neighbourOf(codePoint);
    const reached = this.#follow(state, kind, effort);
    if (reached === 'match') return 'match';
    // A match may begin at each character.
    const next = [this.#program.start];
    for (const number of reached) {
      const step = this.#program.steps[number];
      if (step?.type === 'read' && step.set.has(codePoint)) next.push(step.next);
    }
    effort.spend(reached.length + next.length);
    return this.#state(next, kind);
  }

  #follow(state: State, after: Neighbour, effort: Effort): readonly number[] | 'match' {
    this.#seen.clear();
    const reached: number[] = [];
    const stack = [...state.steps];
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      if (!this.#seen.add(number)) continue;
      effort.spend(1);
      const step = this.#program.steps[number];
      if (step?.type === 'match') return 'match';
      if (step?.type === 'read') reached.push(number);
      else if (step?.type === 'note') stack.push(step.next);
      else if (step?.type === 'fork') stack.push(step.next, step.other);
      else if (step !== undefined && holds(step.assertion, state.before, after)) stack.push(step.next);
    }
    return reached;
  }

  #state(steps: readonly number[], before: Neighbour): State {
    const key = `${before} ${steps.join(' ')}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= statesMost) this.#states.clear();
    const made: State = { steps, before, next: [], others: new Map() };
    this.#states.set(key, made);
    return made;
  }
}
