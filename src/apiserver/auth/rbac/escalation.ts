import { forbidden, notFound } from '#kube/status.ts';

import type { Authorizer } from '../authorizer.ts';
import type { UserInfo } from '../user.ts';
import { compactRules, goList, missingRules, ruleText, type PolicyRule } from './policy-rule.ts';
import { rbacGroup, type RbacIndex, type RbacResource, type RoleRef } from './rbac-index.ts';

/** A role or binding that somebody writes. */
export interface RoleWrite {
  readonly user: UserInfo;
  readonly resource: RbacResource;
  readonly namespace: string;
  readonly name: string;
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Nobody grants by a role what he does not have. Throws ApiError Forbidden; `escalate` on the role is the way past. */
export function checkRole(
  write: RoleWrite,
  rules: readonly PolicyRule[],
  isAggregated: boolean,
  index: RbacIndex,
  authorizer: Authorizer,
): void {
  if (may('escalate', write, write, authorizer)) return;
  if (isAggregated && missingRules(heldRules(write, index), everything).length > 0)
    throw forbidden(of(write), write.name, 'must have cluster-admin privileges to use an aggregationRule');
  checkRules(write, rules, index);
}

/**
 * Nobody binds a role that holds more than he has. Throws ApiError Forbidden, and NotFound when the role is not there;
 * `bind` on the role is the way past.
 */
export function checkBinding(write: RoleWrite, ref: RoleRef, index: RbacIndex, authorizer: Authorizer): void {
  const resource = ref.kind === 'Role' ? 'roles' : 'clusterroles';
  if (may('bind', write, { resource, namespace: write.namespace, name: ref.name }, authorizer)) return;
  const rules = index.rules(ref, write.namespace);
  if (rules === undefined) throw notFound({ group: rbacGroup, resource }, ref.name);
  checkRules(write, rules, index);
}

function checkRules(write: RoleWrite, rules: readonly PolicyRule[], index: RbacIndex): void {
  const missing = missingRules(heldRules(write, index), rules);
  if (missing.length === 0) return;
  const texts = [...new Set(compactRules(missing).map(ruleText))].toSorted();
  const who = `user ${JSON.stringify(write.user.name)} (groups=${goList(write.user.groups)})`;
  const what = `is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}`;
  throw forbidden(of(write), write.name, `${who} ${what}`);
}

function heldRules({ user, namespace }: RoleWrite, index: RbacIndex): readonly PolicyRule[] {
  if (user.groups.includes('system:masters')) return everything;
  return index.grants(user, namespace).flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
}

function may(
  verb: 'bind' | 'escalate',
  { user }: RoleWrite,
  on: { readonly resource: string; readonly namespace: string; readonly name: string },
  authorizer: Authorizer,
): boolean {
  const { resource, namespace, name } = on;
  const target = { resource, namespace, name, group: rbacGroup, version: 'v1', subresource: '' };
  return authorizer.authorize({ type: 'resource', user, verb, ...target }).verdict === 'allow';
}

function of({ resource }: RoleWrite): { group: string; resource: string } {
  return { group: rbacGroup, resource };
}
