import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';

import type { Objects } from '../objects.ts';
import { controllerRoles } from './controller-roles.ts';
import { defaultRoles, rule, type DefaultRole } from './default-roles.ts';
import { missingRules } from './policy-rule.ts';
import { rbacGroup, rbacName, rulesOf, type RbacResource } from './rbac-index.ts';

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';
const apiVersion = `${rbacGroup}/v1`;

/** A write meets a write of somebody else at most so often in a row. */
const attemptsMost = 5;

/**
 * Makes default roles and bindings that are missing, and adds rules and subjects that were taken from them, unless their
 * annotation autoupdate is "false". Nothing is taken away.
 */
export async function reconcileDefaults(objects: Objects, signal: AbortSignal): Promise<void> {
  for (const [resource, object] of defaultObjects()) await reconcile(objects, resource, object, signal);
}

/** All default objects in the order in which they are made. */
export function defaultObjects(): readonly (readonly [RbacResource, Resource])[] {
  const controllers = Object.entries(controllerRoles).map(([name, rules]) => ({
    role: { name: `system:controller:${name}`, rules },
    account: name,
  }));
  return [
    ...defaultRoles.map((role) => ['clusterroles', clusterRole(role)] as const),
    ...controllers.map(({ role }) => ['clusterroles', clusterRole(role)] as const),
    ...defaultRoles
      .filter(({ groups, users }) => groups !== undefined || users !== undefined)
      .map((role) => ['clusterrolebindings', clusterRoleBinding(role)] as const),
    ...controllers.map(({ role, account }) => ['clusterrolebindings', clusterRoleBinding(role, account)] as const),
    ...namespacedDefaults(),
  ];
}

async function reconcile(
  objects: Objects,
  resource: RbacResource,
  wanted: Resource,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '' } = wanted.metadata;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const stored = await objects.get(rbacName(resource), namespace, name, signal);
      if (stored === undefined) return void (await objects.create(rbacName(resource), wanted, signal));
      const completed = complete(stored, wanted);
      if (completed !== undefined) await objects.update(rbacName(resource), completed, signal);
      return;
    } catch (error) {
      const isRace = error instanceof ApiError && ['Conflict', 'AlreadyExists'].includes(error.statusReason);
      if (!isRace || attempt === attemptsMost) throw error;
    }
  }
}

/** The stored object with what it lacks; undefined when it lacks nothing or does not want to be changed. */
export function complete(stored: Resource, wanted: Resource): Resource | undefined {
  if (stored.metadata.annotations?.[autoUpdate] === 'false') return undefined;
  const changes: Record<string, unknown> = {};
  const missing = missingRules(rulesOf(stored), rulesOf(wanted));
  // An aggregated role gets its rules by aggregation.
  if (missing.length > 0 && wanted['aggregationRule'] === undefined)
    changes['rules'] = [...rulesOf(stored), ...missing];
  const subjects = subjectsOf(stored);
  const lacking = subjectsOf(wanted).filter((one) => !subjects.some((other) => sameSubject(one, other)));
  if (lacking.length > 0) changes['subjects'] = [...subjects, ...lacking];
  if (wanted['aggregationRule'] !== undefined && stored['aggregationRule'] === undefined)
    changes['aggregationRule'] = wanted['aggregationRule'];
  const unlabelled = Object.entries(wanted.metadata.labels ?? {}).some(
    ([key]) => !(key in (stored.metadata.labels ?? {})),
  );
  if (Object.keys(changes).length === 0 && !unlabelled) return undefined;
  const metadata = { ...stored.metadata, labels: { ...wanted.metadata.labels, ...stored.metadata.labels } };
  return { ...stored, ...changes, metadata };
}

function clusterRole({ name, rules, aggregates, labels: own = {} }: DefaultRole): Resource {
  const selector = { matchLabels: { [`rbac.authorization.k8s.io/aggregate-to-${aggregates}`]: 'true' } };
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: metadata(name, '', own),
    ...(aggregates === undefined ? {} : { aggregationRule: { clusterRoleSelectors: [selector] } }),
    rules,
  };
}

function clusterRoleBinding({ name, groups = [], users = [] }: DefaultRole, account?: string): Resource {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: metadata(name, ''),
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    subjects: [
      ...groups.map((group) => ({ apiGroup: rbacGroup, kind: 'Group', name: group })),
      ...users.map((user) => ({ apiGroup: rbacGroup, kind: 'User', name: user })),
      ...(account === undefined ? [] : [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }]),
    ],
  };
}

/** Where servers that extend the API find how clients prove themselves. */
function namespacedDefaults(): readonly (readonly [RbacResource, Resource])[] {
  const name = 'extension-apiserver-authentication-reader';
  const users = ['system:kube-controller-manager', 'system:kube-scheduler'];
  return [
    [
      'roles',
      {
        apiVersion,
        kind: 'Role',
        metadata: metadata(name, 'kube-system'),
        rules: [rule('get,list,watch', '', 'configmaps', 'extension-apiserver-authentication')],
      },
    ],
    [
      'rolebindings',
      {
        apiVersion,
        kind: 'RoleBinding',
        metadata: metadata(`system::${name}`, 'kube-system'),
        roleRef: { apiGroup: rbacGroup, kind: 'Role', name },
        subjects: users.map((user) => ({ apiGroup: rbacGroup, kind: 'User', name: user })),
      },
    ],
  ];
}

function metadata(name: string, namespace: string, own: Readonly<Record<string, string>> = {}): Resource['metadata'] {
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    labels: { ...labels, ...own },
    annotations: { [autoUpdate]: 'true' },
  };
}

function subjectsOf(binding: Resource): readonly Record<string, unknown>[] {
  return Array.isArray(binding['subjects']) ? binding['subjects'].filter(isObject) : [];
}

function sameSubject(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  return ['kind', 'name', 'namespace'].every((field) => (one[field] ?? '') === (other[field] ?? ''));
}
