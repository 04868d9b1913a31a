import { Automaton } from './automaton.ts';
import { compileProgram, type Program } from './compile-program.ts';
import { Effort } from './effort.ts';
import { findMatch } from './find-match.ts';
import { parseExpression } from './parse-expression.ts';

export interface ExpressionMatch {
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Texts of the groups by their number, the whole first; undefined: the group took no part. */
  readonly groups: readonly (string | undefined)[];
}

/**
 * A regular expression in the syntax and with the meaning of Go's regexp package. Its time is linear in the text whatever
 * the expression is, and bounded: what needs more throws TooLarge.
 */
export class RegularExpression {
  readonly source: string;
  /** By the number of the group; undefined: it has no name. */
  readonly groupNames: readonly (string | undefined)[];
  readonly #program: Program;
  readonly #automaton: Automaton;

  /** Throws InvalidArgument in the words of regexp/syntax. */
  constructor(source: string) {
    const { tree, groupNames } = parseExpression(source);
    this.source = source;
    this.groupNames = groupNames;
    this.#program = compileProgram(tree, source);
    this.#automaton = new Automaton(this.#program);
  }

  /** Whether some part of the text matches. */
  test(text: string): boolean {
    return this.#automaton.test(text);
  }

  /** The leftmost match. */
  find(text: string): ExpressionMatch | undefined {
    return this.#findFrom(text, 0, new Effort());
  }

  /** Matches one after the other; an empty one right behind another does not count (Go, regexp.FindAllString). */
  findAll(text: string, most = Infinity): readonly ExpressionMatch[] {
    const found: ExpressionMatch[] = [];
    const effort = new Effort();
    let lastEnd = -1;
    for (let at = 0; at <= text.length && found.length < most;) {
      const match = this.#findFrom(text, at, effort);
      if (match === undefined) break;
      const isEmpty = match.start === match.end;
      if (!isEmpty || match.start !== lastEnd) found.push(match);
      lastEnd = match.end;
      at = isEmpty ? match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1) : match.end;
    }
    return found;
  }

  #findFrom(text: string, from: number, effort: Effort): ExpressionMatch | undefined {
    const slots = findMatch(this.#program, text, from, 2 * this.groupNames.length, effort);
    if (slots === undefined) return undefined;
    const [start = 0, end = 0] = slots;
    const groups = this.groupNames.map((_, number) => {
      const [from = -1, to = -1] = slots.slice(2 * number, 2 * number + 2);
      return from < 0 || to < 0 ? undefined : text.slice(from, to);
    });
    return { start, end, text: text.slice(start, end), groups };
  }
}
