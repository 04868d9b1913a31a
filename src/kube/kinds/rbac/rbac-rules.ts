import { isEqualJson } from '#base/json.ts';

import type { AggregationRule, PolicyRule, RoleRef, Subject } from '../../types/gen/rbac-v1.ts';
import { invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { pathSegmentFaults, subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { selectorFaults } from '../../validation/selectors.ts';

const group = 'rbac.authorization.k8s.io';

/** Rules of roles (rbac/validation). */
export function* policyRuleFaults(rules: readonly PolicyRule[], isNamespaced: boolean): Faults {
  for (const [index, rule] of rules.entries()) {
    const at = `rules[${String(index)}]`;
    const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    if (verbs.length === 0) yield required(`${at}.verbs`, 'verbs must contain at least one value');
    if (nonResourceURLs.length > 0) {
      if (isNamespaced)
        yield invalid(`${at}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs');
      if (apiGroups.length + resources.length + resourceNames.length > 0)
        yield invalid(
          `${at}.nonResourceURLs`,
          nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        );
      continue;
    }
    if (apiGroups.length === 0) yield required(`${at}.apiGroups`, 'resource rules must supply at least one api group');
    if (resources.length === 0) yield required(`${at}.resources`, 'resource rules must supply at least one resource');
  }
}

export function* aggregationFaults(aggregation: AggregationRule | undefined): Faults {
  if (aggregation === undefined) return;
  const selectors = aggregation.clusterRoleSelectors ?? [];
  if (selectors.length === 0)
    yield required(
      'aggregationRule.clusterRoleSelectors',
      'at least one clusterRoleSelector required if aggregationRule is non-nil',
    );
  for (const [index, selector] of selectors.entries())
    yield* selectorFaults(selector, `aggregationRule.clusterRoleSelectors[${String(index)}]`);
}

interface Binding {
  readonly roleRef?: RoleRef;
  readonly subjects?: readonly Subject[];
}

/** `kinds`: of roles that may be given, as upstream lists them. */
export function* bindingFaults(
  { roleRef = {}, subjects = [] }: Binding,
  old: Binding | undefined,
  kinds: readonly string[],
): Faults {
  if (roleRef.apiGroup !== group) yield notSupported('roleRef.apiGroup', roleRef.apiGroup ?? '', [group]);
  if (!kinds.includes(roleRef.kind ?? '')) yield notSupported('roleRef.kind', roleRef.kind ?? '', kinds);
  if ((roleRef.name ?? '') === '') yield required('roleRef.name');
  else yield* invalids('roleRef.name', roleRef.name, pathSegmentFaults(roleRef.name ?? ''));
  for (const [index, subject] of subjects.entries()) yield* subjectFaults(subject, `subjects[${String(index)}]`);
  if (old !== undefined && !isEqualJson(roleRef, old.roleRef ?? {}))
    yield invalid('roleRef', roleRef, 'cannot change roleRef');
}

function* subjectFaults({ kind = '', name = '', namespace = '', apiGroup = '' }: Subject, path: string): Faults {
  if (name === '') yield required(`${path}.name`);
  if (kind === 'ServiceAccount') {
    if (name !== '') yield* invalids(`${path}.name`, name, subdomainFaults(name));
    if (apiGroup !== '') yield notSupported(`${path}.apiGroup`, apiGroup, ['']);
    if (namespace === '') yield required(`${path}.namespace`);
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) yield notSupported(`${path}.apiGroup`, apiGroup, [group]);
  } else yield notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
}
