/** One condition on the labels of an object. `exists` and `!` have no values, `gt` and `lt` one whole number. */
export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

/** All requirements must hold; none match everything. `nothing` matches no object. */
export type LabelSelection = readonly Requirement[] | 'nothing';

/** The part of meta/v1 LabelSelector that matters. */
export interface SelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly values?: readonly string[];
  }[];
}

type Labels = Readonly<Record<string, string>>;

export function matchesLabels(selection: LabelSelection, labels: Labels | undefined): boolean {
  return selection !== 'nothing' && selection.every((requirement) => meets(requirement, labels ?? {}));
}

/**
 * The selection that a LabelSelector in an object means; without one it matches nothing, and an empty one everything.
 * undefined when an operator is none of In, NotIn, Exists, DoesNotExist.
 */
export function selectionOf(selector: SelectorObject | undefined): LabelSelection | undefined {
  if (selector === undefined) return 'nothing';
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }));
  for (const { key = '', operator = '', values = [] } of selector.matchExpressions ?? []) {
    const known = operators[operator];
    if (known === undefined) return undefined;
    requirements.push({ key, operator: known, values });
  }
  return requirements;
}

/** The selection of a plain map of labels, as Services have; an absent or empty one matches everything. */
export function selectionOfMap(labels: Labels | undefined): LabelSelection {
  return Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] }));
}

/** The text form, sorted by key. `nothing` is an empty text, as upstream prints it. */
export function selectionText(selection: LabelSelection): string {
  if (selection === 'nothing') return '';
  return selection
    .toSorted((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)))
    .map(requirementText)
    .join(',');
}

const operators: Readonly<Record<string, Requirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    default:
      return value !== undefined && isBeyond(value, operator, values[0] ?? '');
  }
}

function isBeyond(value: string, operator: 'gt' | 'lt', limit: string): boolean {
  if (!wholeNumber.test(value) || !wholeNumber.test(limit)) return false;
  return operator === 'gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
}

/** What Go's ParseInt takes, within 64 bits. */
export const wholeNumber = /^-?\d{1,18}$/;

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.toSorted().join(',')})`;
    case 'gt':
      return `${key}>${values[0] ?? ''}`;
    case 'lt':
      return `${key}<${values[0] ?? ''}`;
    default:
      return `${key}${operator}${values[0] ?? ''}`;
  }
}
