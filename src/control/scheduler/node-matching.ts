import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Taint, Toleration } from '#kube/types/gen/core-v1.ts';

/** Whether one of a node selector's terms matches; a term without anything in it matches nothing. */
export function matchesTerms(terms: readonly NodeSelectorTerm[], node: Node): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': node.metadata.name ?? '' };
  return (
    matchExpressions.every((one) => matchesRequirement(one, node.metadata.labels ?? {})) &&
    matchFields.every((one) => matchesRequirement(one, fields))
  );
}

function matchesRequirement(
  { key = '', operator, values = [] }: NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compared(value, values, (one, other) => one > other);
    case 'Lt':
      return compared(value, values, (one, other) => one < other);
    default:
      return false;
  }
}

function compared(
  value: string | undefined,
  [bound = '']: readonly string[],
  is: (one: number, other: number) => boolean,
): boolean {
  const isWhole = (text: string | undefined): text is string => text !== undefined && /^[+-]?\d+$/.test(text);
  return isWhole(value) && isWhole(bound) && is(Number(value), Number(bound));
}

/** Whether one of a pod's tolerations is for a taint (core/v1 Toleration.ToleratesTaint). */
export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? '') && key !== '');
  });
}
