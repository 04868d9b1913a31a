import { unreachable } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';

/** Longer patterns are refused; matching takes at most pattern times text steps. */
const maximumPatternLength = 512;

type Test = (character: string) => boolean;
type Node =
  | { readonly kind: 'test'; readonly test: Test }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly atLeast: 0 | 1; readonly atMost: 1 | undefined };

/** What a state waits for, and where it leads; `undefined` steps are taken without a character. */
interface State {
  readonly step: Test | 'start' | 'end' | undefined;
  readonly next: number[];
}

/**
 * Compiles a regular expression of the kind that clients send to filter names, and returns an unanchored match. Every
 * input takes linear time, unlike with JavaScript's own engine: patterns come from outside. Knows literals, `.`, classes,
 * groups, `|`, `*`, `+`, `?`, `^`, `$`, `\d \w \s`; throws InvalidArgument for the rest.
 */
export function namePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > maximumPatternLength) {
    throw new StatusError('InvalidArgument', `Cannot read a name filter of ${String(pattern.length)} characters`);
  }
  const states: State[] = [];
  const last = addState(states, undefined, []);
  const first = compile(new PatternParser(pattern).parse(), last, states);
  return (text) => matches(states, first, last, text);
}

function compile(node: Node, next: number, states: State[]): number {
  switch (node.kind) {
    case 'test':
      return addState(states, node.test, [next]);
    case 'start':
    case 'end':
      return addState(states, node.kind, [next]);
    case 'sequence':
      return node.parts.reduceRight((after, part) => compile(part, after, states), next);
    case 'choice':
      return addState(
        states,
        undefined,
        node.parts.map((part) => compile(part, next, states)),
      );
    case 'repeat': {
      if (node.atMost === 1) return addState(states, undefined, [compile(node.part, next, states), next]);
      const loop = addState(states, undefined, [next]);
      const body = compile(node.part, loop, states);
      states[loop]?.next.push(body);
      return node.atLeast === 1 ? body : loop;
    }
    default:
      return unreachable(node);
  }
}

function addState(states: State[], step: State['step'], next: number[]): number {
  return states.push({ step, next }) - 1;
}

function matches(states: readonly State[], first: number, last: number, text: string): boolean {
  let current = new Set<number>();
  for (let position = 0; position <= text.length; position += 1) {
    const reached = new Set<number>();
    const place = { start: position === 0, end: position === text.length };
    for (const state of [first, ...current]) reach(states, state, place, reached);
    if (reached.has(last)) return true;
    const character = text[position];
    if (character === undefined) return false;
    current = new Set(
      [...reached].flatMap((index) => {
        const state = states[index];
        return typeof state?.step === 'function' && state.step(character) ? state.next : [];
      }),
    );
  }
  return false;
}

/** Follows all steps that need no character. */
function reach(
  states: readonly State[],
  from: number,
  place: { start: boolean; end: boolean },
  reached: Set<number>,
): void {
  const waiting = [from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    const state = states[index];
    if (state === undefined || reached.has(index)) continue;
    reached.add(index);
    const passes = state.step === undefined || (typeof state.step === 'string' && place[state.step]);
    if (passes) waiting.push(...state.next);
  }
}

class PatternParser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw this.#invalid('unexpected )');
    return node;
  }

  #choice(): Node {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    return { kind: 'choice', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (;;) {
      const next = this.#pattern[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', parts };
      parts.push(this.#repeat(this.#atom()));
    }
  }

  #repeat(part: Node): Node {
    let node = part;
    for (;;) {
      if (this.#take('*')) node = { kind: 'repeat', part: node, atLeast: 0, atMost: undefined };
      else if (this.#take('+')) node = { kind: 'repeat', part: node, atLeast: 1, atMost: undefined };
      else if (this.#take('?')) node = { kind: 'repeat', part: node, atLeast: 0, atMost: 1 };
      else return node;
    }
  }

  #atom(): Node {
    const character = this.#pattern[this.#at++] ?? '';
    switch (character) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'test', test: (other) => other !== '\n' };
      case '[':
        return { kind: 'test', test: this.#class() };
      case '(':
        return this.#group();
      case '\\':
        return { kind: 'test', test: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#invalid(`unexpected ${character}`);
      default:
        return { kind: 'test', test: (other) => other === character };
    }
  }

  #group(): Node {
    this.#depth += 1;
    if (this.#depth > 64) throw this.#invalid('too many groups in each other');
    if (this.#take('?') && !this.#take(':')) throw this.#invalid('only (...) and (?:...) are known');
    const node = this.#choice();
    if (!this.#take(')')) throw this.#invalid('missing )');
    this.#depth -= 1;
    return node;
  }

  #escape(): Test {
    const character = this.#pattern[this.#at++];
    if (character === undefined) throw this.#invalid('nothing after \\');
    const classes: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };
    const named = classes[character];
    if (named !== undefined) return (other) => named.test(other);
    if (/\w/.test(character)) throw this.#invalid(`\\${character} is not known`);
    return (other) => other === character;
  }

  #class(): Test {
    const negated = this.#take('^');
    const tests: Test[] = [];
    do {
      const from = this.#pattern[this.#at++];
      if (from === undefined) throw this.#invalid('missing ]');
      if (from === '\\') tests.push(this.#escape());
      else if (this.#pattern[this.#at] === '-' && !['', ']'].includes(this.#pattern[this.#at + 1] ?? '')) {
        const to = this.#pattern[this.#at + 1] ?? '';
        this.#at += 2;
        tests.push((other) => from <= other && other <= to);
      } else tests.push((other) => other === from);
    } while (!this.#take(']'));
    return (other) => tests.some((test) => test(other)) !== negated;
  }

  #take(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #invalid(why: string): StatusError {
    return new StatusError('InvalidArgument', `invalid filter: cannot read the pattern "${this.#pattern}": ${why}`);
  }
}
