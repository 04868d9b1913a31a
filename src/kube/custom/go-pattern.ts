import { RegularExpression } from '#formats/regular-expressions/regular-expression.ts';

const known = new Map<string, RegularExpression>();
/** Patterns of schemas and rules that are kept compiled; then all are forgotten. */
const knownMost = 500;

/** The expression of a pattern, compiled once. Throws InvalidArgument in the words of Go's regexp/syntax. */
export function goPattern(pattern: string): RegularExpression {
  const found = known.get(pattern) ?? new RegularExpression(pattern);
  if (known.size >= knownMost) known.clear();
  known.set(pattern, found);
  return found;
}
