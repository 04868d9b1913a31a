import { StatusError } from '#base/errors.ts';

import type { CharacterSet } from './character-set.ts';

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary';

/** What an expression says. */
export type SyntaxTree =
  | { readonly type: 'empty' }
  | { readonly type: 'set'; readonly set: CharacterSet }
  | { readonly type: 'sequence'; readonly parts: readonly SyntaxTree[] }
  /** The first that matches counts. */
  | { readonly type: 'choice'; readonly parts: readonly SyntaxTree[] }
  | {
      readonly type: 'repeat';
      readonly part: SyntaxTree;
      readonly least: number;
      /** Infinity: any number. */
      readonly most: number;
      readonly isGreedy: boolean;
    }
  | { readonly type: 'group'; readonly part: SyntaxTree; readonly number: number }
  | { readonly type: 'assertion'; readonly assertion: Assertion };

/** InvalidArgument in the words of Go's regexp/syntax. */
export function syntaxError(what: string, where: string): StatusError {
  return new StatusError('InvalidArgument', `error parsing regexp: ${what}: \`${where}\``);
}
