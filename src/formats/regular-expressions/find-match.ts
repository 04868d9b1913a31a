import type { Program } from './compile-program.ts';
import type { Effort } from './effort.ts';
import { holds, neighbourOf, type Neighbour } from './position.ts';
import { SeenSteps } from './seen-steps.ts';

/** Where each group begins and ends, in UTF-16 units: `[start, end, start of group 1, …]`; -1: it took no part. */
export type Slots = readonly number[];

interface Thread {
  readonly step: number;
  readonly slots: Slots;
}

/**
 * The leftmost match from `from` on, of several there the one that a backtracking engine would find first, in time linear
 * in the text (Pike's machine). Throws TooLarge when text and program together are more than is taken on.
 */
export function findMatch(
  program: Program,
  text: string,
  from: number,
  slotCount: number,
  effort: Effort,
): Slots | undefined {
  const seen = new SeenSteps(program.steps.length);
  const fresh: Slots = Array.from({ length: slotCount }, () => -1);
  let threads: readonly Thread[] = [];
  let found: Slots | undefined;
  let before = neighbourOf(from === 0 ? undefined : codePointBefore(text, from));
  for (let at = from; ;) {
    const codePoint = text.codePointAt(at);
    const after = neighbourOf(codePoint);
    const sources = found === undefined ? [...threads, { step: program.start, slots: fresh.with(0, at) }] : threads;
    if (sources.length === 0) return found;
    const [reached, match] = follow(program, sources, at, before, after, seen, effort);
    if (match !== undefined) found = match;
    if (codePoint === undefined) return found;
    threads = reached.flatMap(({ step, slots }) => {
      const one = program.steps[step];
      return one?.type === 'read' && one.set.has(codePoint) ? [{ step: one.next, slots }] : [];
    });
    at += codePoint > 0xffff ? 2 : 1;
    before = after;
  }
}

/** Threads that wait for a character, in the order of their preference; those that a match is preferred to are gone. */
function follow(
  { steps }: Program,
  sources: readonly Thread[],
  at: number,
  before: Neighbour,
  after: Neighbour,
  seen: SeenSteps,
  effort: Effort,
): readonly [readonly Thread[], Slots | undefined] {
  seen.clear();
  const reached: Thread[] = [];
  const stack = sources.toReversed();
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    const { step: number, slots } = thread;
    if (!seen.add(number)) continue;
    effort.spend(1);
    const step = steps[number];
    if (step === undefined) continue;
    if (step.type === 'match') return [reached, slots.with(1, at)];
    if (step.type === 'read') reached.push(thread);
    else if (step.type === 'note') stack.push({ step: step.next, slots: slots.with(step.slot, at) });
    else if (step.type === 'fork') stack.push({ step: step.other, slots }, { step: step.next, slots });
    else if (holds(step.assertion, before, after)) stack.push({ step: step.next, slots });
  }
  return [reached, undefined];
}

function codePointBefore(text: string, at: number): number | undefined {
  const low = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && at > 1 ? text.codePointAt(at - 2) : low;
}
