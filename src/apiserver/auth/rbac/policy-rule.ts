import type { Attributes } from '../authorizer.ts';

/** rbac.authorization.k8s.io/v1 PolicyRule. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  /** `pods`, `pods/log`, `*`, or `*` followed by a subresource for all resources that have it. */
  readonly resources?: readonly string[];
  /** None: all. */
  readonly resourceNames?: readonly string[];
  /** Paths; a `*` at the end stands for any rest. */
  readonly nonResourceURLs?: readonly string[];
}

const any = '*';

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false;
  if (attributes.type === 'path') return (rule.nonResourceURLs ?? []).some((one) => pathMatches(one, attributes.path));
  const { group, resource, subresource, name } = attributes;
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups ?? [], group) &&
    (rule.resources ?? []).some((one) => resourceMatches(one, resource, subresource)) &&
    (names.length === 0 || names.includes(name))
  );
}

/** The parts of `wanted` that `held` do not allow, each with one group, resource, name or path, in the order of `wanted`. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap((rule) => [...singleRules(rule)]).filter((one) => !held.some((rule) => covers(rule, one)));
}

/** One text for rules of the same group, resource and name: their verbs together, as kube-apiserver tells them. */
export function compactRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify({ ...rule, verbs: [] });
    const verbs = [...new Set([...(byTarget.get(key)?.verbs ?? []), ...rule.verbs])];
    byTarget.set(key, { ...rule, verbs });
  }
  return [...byTarget.values()];
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`. */
export function ruleText(rule: PolicyRule): string {
  const parts = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const;
  const texts = parts.flatMap(([name, values]) =>
    (values ?? []).length === 0 ? [] : [`${name}:${goList(values ?? [])}`],
  );
  return `{${texts.join(', ')}}`;
}

/** A list as Go prints it with %q. */
export function goList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}

function has(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes(any);
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith(any) && path.startsWith(pattern.slice(0, -1)));
}

function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === any || pattern === (subresource === '' ? resource : `${resource}/${subresource}`)) return true;
  return subresource !== '' && pattern === `${any}/${subresource}`;
}

/** A rule taken apart: one verb, and one group, resource and name, or one path, in each. */
function* singleRules(rule: PolicyRule): Generator<PolicyRule> {
  for (const apiGroup of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const single = { verbs: [verb], apiGroups: [apiGroup], resources: [resource] };
        if ((rule.resourceNames ?? []).length === 0) yield single;
        for (const name of rule.resourceNames ?? []) yield { ...single, resourceNames: [name] };
      }
    }
  }
  for (const path of rule.nonResourceURLs ?? [])
    for (const verb of rule.verbs) yield { verbs: [verb], nonResourceURLs: [path] };
}

/** Whether a rule allows all that a single rule allows; a `*` is covered only by a `*`. */
function covers(rule: PolicyRule, single: PolicyRule): boolean {
  const [verb = ''] = single.verbs;
  if (!has(rule.verbs, verb)) return false;
  const [path] = single.nonResourceURLs ?? [];
  if (path !== undefined) return (rule.nonResourceURLs ?? []).some((one) => pathMatches(one, path));
  const [group = ''] = single.apiGroups ?? [];
  const [resource = '', subresource = ''] = (single.resources?.[0] ?? '').split('/', 2);
  const [name] = single.resourceNames ?? [];
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups ?? [], group) &&
    (rule.resources ?? []).some((one) => resourceMatches(one, resource, subresource)) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
}
