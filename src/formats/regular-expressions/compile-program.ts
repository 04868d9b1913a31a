import type { CharacterSet } from './character-set.ts';
import { syntaxError, type Assertion, type SyntaxTree } from './syntax-tree.ts';

/** A step of a program. Steps that read nothing are followed at once: to `next` first, then to `other`. */
export type Step =
  | { readonly type: 'read'; readonly set: CharacterSet; readonly next: number }
  | { readonly type: 'fork'; next: number; other: number }
  | { readonly type: 'note'; readonly slot: number; readonly next: number }
  | { readonly type: 'check'; readonly assertion: Assertion; readonly next: number }
  | { readonly type: 'match' };

export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
}

/** Bounds memory, and the work for each character of a text. */
const stepsMost = 50_000;

/** A program of an expression (Thompson's construction), made from its end. Throws InvalidArgument for one too large. */
export function compileProgram(tree: SyntaxTree, expression: string): Program {
  const compiler = new Compiler(expression);
  const match = compiler.add({ type: 'match' });
  return { start: compiler.compile(tree, match), steps: compiler.steps };
}

class Compiler {
  readonly steps: Step[] = [];
  readonly #expression: string;

  constructor(expression: string) {
    this.#expression = expression;
  }

  add(step: Step): number {
    if (this.steps.length >= stepsMost) throw syntaxError('expression too large', this.#expression);
    return this.steps.push(step) - 1;
  }

  /** Where what matches the tree and then goes on at `next` begins. */
  compile(tree: SyntaxTree, next: number): number {
    switch (tree.type) {
      case 'empty':
        return next;
      case 'set':
        return this.add({ type: 'read', set: tree.set, next });
      case 'assertion':
        return this.add({ type: 'check', assertion: tree.assertion, next });
      case 'sequence':
        return tree.parts.reduceRight((after, part) => this.compile(part, after), next);
      case 'choice':
        return tree.parts
          .map((part) => this.compile(part, next))
          .reduceRight((other, one) => this.add({ type: 'fork', next: one, other }));
      case 'group': {
        const end = this.add({ type: 'note', slot: 2 * tree.number + 1, next });
        return this.add({ type: 'note', slot: 2 * tree.number, next: this.compile(tree.part, end) });
      }
      case 'repeat':
        return this.#repeat(tree, next);
      default:
        return tree satisfies never;
    }
  }

  #repeat({ part, least, most, isGreedy }: Extract<SyntaxTree, { type: 'repeat' }>, next: number): number {
    let after = next;
    let copies = least;
    if (most !== Infinity) {
      for (let left = most - least; left > 0; left -= 1) after = this.#fork(this.compile(part, after), next, isGreedy);
    } else if (least === 0 || isNullable(part)) after = this.#any(part, isGreedy, next);
    else {
      after = this.#more(part, isGreedy, next);
      copies -= 1;
    }
    for (; copies > 0; copies -= 1) after = this.compile(part, after);
    return after;
  }

  /** `x*`; of a part that may be empty it is `(x+)?`, so that the empty match is preferred as Go does. */
  #any(part: SyntaxTree, isGreedy: boolean, next: number): number {
    if (isNullable(part)) return this.#fork(this.#more(part, isGreedy, next), next, isGreedy);
    const loop = this.add({ type: 'fork', next: 0, other: 0 });
    this.#aim(loop, this.compile(part, loop), next, isGreedy);
    return loop;
  }

  /** `x+`. */
  #more(part: SyntaxTree, isGreedy: boolean, next: number): number {
    const loop = this.add({ type: 'fork', next: 0, other: 0 });
    const body = this.compile(part, loop);
    this.#aim(loop, body, next, isGreedy);
    return body;
  }

  #fork(inside: number, outside: number, isGreedy: boolean): number {
    return this.add({
      type: 'fork',
      next: isGreedy ? inside : outside,
      other: isGreedy ? outside : inside,
    });
  }

  #aim(at: number, inside: number, outside: number, isGreedy: boolean): void {
    const step = this.steps[at];
    if (step?.type !== 'fork') return;
    step.next = isGreedy ? inside : outside;
    step.other = isGreedy ? outside : inside;
  }
}

function isNullable(tree: SyntaxTree): boolean {
  switch (tree.type) {
    case 'set':
      return false;
    case 'sequence':
      return tree.parts.every(isNullable);
    case 'choice':
      return tree.parts.some(isNullable);
    case 'group':
      return isNullable(tree.part);
    case 'repeat':
      return tree.least === 0 || isNullable(tree.part);
    default:
      return true;
  }
}
