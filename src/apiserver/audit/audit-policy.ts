import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { objectsOf, textOf, textsOf } from '#kube/fields.ts';

import type { Attributes } from '../auth/authorizer.ts';

/** How much of a request is noted, from nothing to the bodies of both directions. */
export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];

export const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof auditStages)[number];

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** Which requests a rule is about; what it does not name it is about all of. */
interface AuditRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly namespaces: readonly string[];
  readonly resources: readonly {
    readonly group: string;
    readonly resources: readonly string[];
    readonly names: readonly string[];
  }[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean | undefined;
}

/** What is noted of a request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** Bodies that hold secrets; of them nothing but metadata is ever noted, whatever a policy says. */
const secretBodies = ['/secrets', '/serviceaccounts/token', 'authentication.k8s.io/tokenreviews'];

/** Reads a Policy (audit.k8s.io/v1) that was parsed from YAML. Throws InvalidArgument. */
export function parseAuditPolicy(value: unknown): AuditPolicy {
  if (!isObject(value) || value['kind'] !== 'Policy' || value['apiVersion'] !== 'audit.k8s.io/v1')
    throw wrong('kind', 'it is no Policy of audit.k8s.io/v1');
  const rows = objectsOf(value['rules']);
  if (rows.length === 0) throw wrong('rules', 'it is empty; give at least one rule, such as level: Metadata');
  return {
    rules: rows.map((row, index) => readRule(row, `rules[${String(index)}]`)),
    omitStages: readStages(value['omitStages'], 'omitStages'),
    omitManagedFields: value['omitManagedFields'] === true,
  };
}

/** The first rule that is about a request decides; without one nothing is noted. */
export function auditDecision(policy: AuditPolicy, attributes: Attributes): AuditDecision {
  const rule = policy.rules.find((one) => matches(one, attributes));
  const level = rule?.level ?? 'None';
  return {
    level: level !== 'None' && isSecret(attributes) ? 'Metadata' : level,
    omitStages: [...policy.omitStages, ...(rule?.omitStages ?? [])],
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields,
  };
}

function matches(rule: AuditRule, attributes: Attributes): boolean {
  const { user, verb } = attributes;
  if (!allows(rule.users, user.name) || !allows(rule.verbs, verb)) return false;
  if (rule.userGroups.length > 0 && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (attributes.type === 'path') {
    if (rule.resources.length > 0 || rule.namespaces.length > 0) return false;
    return rule.nonResourceURLs.length === 0 || rule.nonResourceURLs.some((one) => pathMatches(one, attributes.path));
  }
  if (rule.nonResourceURLs.length > 0 || !allows(rule.namespaces, attributes.namespace)) return false;
  const { group, resource, subresource, name } = attributes;
  const part = subresource === '' ? resource : `${resource}/${subresource}`;
  return (
    rule.resources.length === 0 ||
    rule.resources.some(
      (one) =>
        one.group === group &&
        (one.resources.length === 0 || one.resources.some((pattern) => partMatches(pattern, resource, part))) &&
        allows(one.names, name),
    )
  );
}

/** `pods`, `pods/log`, `pods/*`, `*`, or a star and a slash before a subresource. */
function partMatches(pattern: string, resource: string, part: string): boolean {
  if (pattern === '*' || pattern === part) return true;
  const subresource = part === resource ? '' : part.slice(resource.length);
  return subresource !== '' && (pattern === `${resource}/*` || pattern === `*${subresource}`);
}

function isSecret(attributes: Attributes): boolean {
  if (attributes.type === 'path') return false;
  const { group, resource, subresource } = attributes;
  return secretBodies.includes(`${group}/${resource}${subresource === '' ? '' : `/${subresource}`}`);
}

function readRule(row: Readonly<Record<string, unknown>>, path: string): AuditRule {
  const level = auditLevels.find((one) => one === row['level']);
  if (level === undefined)
    throw wrong(`${path}.level`, `it is ${JSON.stringify(row['level'] ?? '')}; give one of ${auditLevels.join(', ')}`);
  const omitted = row['omitManagedFields'];
  return {
    level,
    users: textsOf(row['users']),
    userGroups: textsOf(row['userGroups']),
    verbs: textsOf(row['verbs']),
    namespaces: textsOf(row['namespaces']),
    nonResourceURLs: textsOf(row['nonResourceURLs']),
    omitStages: readStages(row['omitStages'], `${path}.omitStages`),
    omitManagedFields: typeof omitted === 'boolean' ? omitted : undefined,
    resources: objectsOf(row['resources']).map((one) => ({
      group: textOf(one['group']),
      resources: textsOf(one['resources']),
      names: textsOf(one['resourceNames']),
    })),
  };
}

function readStages(value: unknown, path: string): readonly AuditStage[] {
  return textsOf(value).map((text) => {
    const stage = auditStages.find((one) => one === text);
    if (stage === undefined) throw wrong(path, `${JSON.stringify(text)} is no stage; give ${auditStages.join(', ')}`);
    return stage;
  });
}

function allows(list: readonly string[], value: string): boolean {
  return list.length === 0 || list.includes(value);
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

function wrong(path: string, state: string): StatusError {
  return new StatusError('InvalidArgument', `Cannot use audit policy "${path}": ${state}`);
}
