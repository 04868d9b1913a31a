import type { FlowSchema, Subject } from '#kube/types/gen/flowcontrol-v1.ts';

import type { Attributes } from '../auth/authorizer.ts';
import { wellKnown, type UserInfo } from '../auth/user.ts';

/** Whether a schema is for a request (apiserver, util/flowcontrol/rule.go). */
export function matchesSchema({ spec = {} }: FlowSchema, request: Attributes): boolean {
  return (spec.rules ?? []).some(({ subjects = [], resourceRules = [], nonResourceRules = [] }) => {
    if (!subjects.some((subject) => isSubject(subject, request.user))) return false;
    if (request.type === 'path')
      return nonResourceRules.some(
        ({ verbs = [], nonResourceURLs = [] }) =>
          has(verbs, request.verb) && nonResourceURLs.some((url) => isPath(url, request.path)),
      );
    const { verb, group, resource, subresource, namespace } = request;
    const name = subresource === '' ? resource : `${resource}/${subresource}`;
    return resourceRules.some(
      ({ verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope = false }) =>
        has(verbs, verb) &&
        has(apiGroups, group) &&
        has(resources, name) &&
        (namespace === '' ? clusterScope : has(namespaces, namespace)),
    );
  });
}

function isSubject({ kind, user, group, serviceAccount }: Subject, { name, groups }: UserInfo): boolean {
  if (kind === 'User') return user?.name === '*' || user?.name === name;
  if (kind === 'Group') return group?.name === '*' || groups.includes(group?.name ?? '');
  if (kind !== 'ServiceAccount') return false;
  const prefix = `${wellKnown.serviceAccountPrefix}${serviceAccount?.namespace ?? ''}:`;
  return serviceAccount?.name === '*' ? name.startsWith(prefix) : name === prefix + (serviceAccount?.name ?? '');
}

function has(list: readonly string[], word: string): boolean {
  return list.includes('*') || list.includes(word);
}

function isPath(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}
