import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { badRequest } from '#kube/status.ts';

import type { PolicyRule } from '../rbac/policy-rule.ts';
import type { RbacIndex } from '../rbac/rbac-index.ts';
import { wellKnown, type UserInfo } from '../user.ts';

/** Answers a SelfSubjectRulesReview: what may I do in this namespace? What only the Node authorizer knows is not listed. */
export function reviewRules(review: Resource, user: UserInfo, index: RbacIndex): Resource {
  const spec = isObject(review['spec']) ? review['spec'] : {};
  const namespace = typeof spec['namespace'] === 'string' ? spec['namespace'] : '';
  if (namespace === '') throw badRequest('no namespace on request');
  const grants = index.grants(user, namespace);
  const rules = grants.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  if (user.groups.includes(wellKnown.masters) && rules.length === 0) rules.push(...everything);
  const errors = [...new Set(grants.flatMap(({ error }) => (error === undefined ? [] : [error])))];
  const status = {
    resourceRules: rules.filter(({ resources = [] }) => resources.length > 0).map(resourceRule),
    nonResourceRules: rules
      .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: errors.length > 0,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
  };
  return { ...review, status };
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

function resourceRule({ verbs, apiGroups = [], resources = [], resourceNames = [] }: PolicyRule): object {
  return { verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) };
}
