import type { Environment, ParseResult } from '@marcbachmann/cel-js';

import { isNode } from './cost.ts';

/** The name of our function for `matches`, in texts of errors too. */
export const matchesFunction = 'matchesRE2';

/**
 * Reads an expression. Its calls of `matches` become those of our own: the package's is JavaScript's, which may go back and
 * forth for ever, and whose functions cannot be replaced. Throws what the package throws.
 */
export function parseExpression(environment: Environment, text: string): ParseResult {
  const parsed = environment.parse(text);
  redirect(parsed.ast);
  return parsed;
}

function redirect(node: unknown): void {
  if (Array.isArray(node)) {
    for (const part of node) redirect(part);
    return;
  }
  if (!isNode(node)) return;
  const args: unknown = node.args;
  if (node.op === 'rcall' && Array.isArray(args) && args[0] === 'matches') args[0] = matchesFunction;
  redirect(args);
}
