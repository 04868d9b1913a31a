import type { Assertion } from './syntax-tree.ts';

/** What is beside a place in a text: nothing, a line's end, a letter of a word (ASCII), or something else. */
export type Neighbour = 'none' | 'newline' | 'word' | 'other';

/** `undefined`: the text begins or ends there. */
export function neighbourOf(codePoint: number | undefined): Neighbour {
  if (codePoint === undefined) return 'none';
  if (codePoint === 0x0a) return 'newline';
  const isLetter = (codePoint >= 0x61 && codePoint <= 0x7a) || (codePoint >= 0x41 && codePoint <= 0x5a);
  const isDigit = codePoint >= 0x30 && codePoint <= 0x39;
  return isLetter || isDigit || codePoint === 0x5f ? 'word' : 'other';
}

export function holds(assertion: Assertion, before: Neighbour, after: Neighbour): boolean {
  switch (assertion) {
    case 'text-start':
      return before === 'none';
    case 'text-end':
      return after === 'none';
    case 'line-start':
      return before === 'none' || before === 'newline';
    case 'line-end':
      return after === 'none' || after === 'newline';
    case 'word-boundary':
      return (before === 'word') !== (after === 'word');
    case 'no-word-boundary':
      return (before === 'word') === (after === 'word');
    default:
      return assertion satisfies never;
  }
}
