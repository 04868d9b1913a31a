import { objectOf, objectsOf, textOf } from '#kube/fields.ts';
import type { Resource } from '#kube/resource.ts';

import type { ResourceName } from '../objects.ts';
import { wellKnown, type UserInfo } from '../user.ts';
import type { PolicyRule } from './policy-rule.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

/** The four kinds of RBAC. */
export const rbacResources = ['clusterroles', 'roles', 'clusterrolebindings', 'rolebindings'] as const;
export type RbacResource = (typeof rbacResources)[number];

export function rbacName(resource: RbacResource): ResourceName {
  return { group: rbacGroup, resource };
}

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

/** A binding as far as decisions need it. */
interface Binding {
  readonly kind: 'ClusterRoleBinding' | 'RoleBinding';
  /** Empty for bindings of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly Subject[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** A rule that a user has, or the reason why a binding gives none. */
export interface Grant {
  readonly rule: PolicyRule | undefined;
  /** `ClusterRoleBinding "a" of ClusterRole "b" to Group "c"`. */
  readonly by: string;
  /** A role that is not there. */
  readonly error: string | undefined;
}

/** Sets of subjects whose grants are remembered; they share their rules. */
const knownMost = 512;
/** Namespaces of a user whose grants are remembered. */
const namespacesMost = 64;

/** Roles and bindings in memory, by whom they bind. */
export class RbacIndex {
  readonly #roles = new Map<string, readonly PolicyRule[]>();
  readonly #bindings = new Map<string, Binding>();
  /** Keys of bindings by subject and namespace. */
  readonly #bySubject = new Map<string, Set<string>>();
  /** By the subjects that are bound, until any role or binding changes: a thousand nodes have the same ones. */
  readonly #known = new Map<string, readonly Grant[]>();
  /** The same by user and namespace. */
  #ofUsers = new WeakMap<UserInfo, Map<string, readonly Grant[]>>();

  put(resource: RbacResource, object: Resource): void {
    this.#forget();
    const { namespace = '', name = '' } = object.metadata;
    const key = keyOf(resource, namespace, name);
    if (resource === 'roles' || resource === 'clusterroles') {
      this.#roles.set(key, rulesOf(object));
      return;
    }
    this.#unbind(key);
    const binding = bindingOf(resource, object);
    this.#bindings.set(key, binding);
    for (const subject of binding.subjects) {
      const at = subjectKey(subject, binding.namespace);
      const keys = this.#bySubject.get(at) ?? new Set();
      this.#bySubject.set(at, keys.add(key));
    }
  }

  remove(resource: RbacResource, object: Resource): void {
    this.#forget();
    const { namespace = '', name = '' } = object.metadata;
    const key = keyOf(resource, namespace, name);
    this.#roles.delete(key);
    this.#unbind(key);
  }

  /** Rules of a role; undefined when there is none. `namespace`: of a Role, or of the binding that names it. */
  rules(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const isRole = ref.kind === 'Role';
    return this.#roles.get(keyOf(isRole ? 'roles' : 'clusterroles', isRole ? namespace : '', ref.name));
  }

  /** What a user may do in the cluster and in a namespace (empty: only what holds for the cluster). */
  grants(user: UserInfo, namespace: string): readonly Grant[] {
    const ofUser = this.#ofUsers.get(user) ?? new Map<string, readonly Grant[]>();
    const known = ofUser.get(namespace);
    if (known !== undefined) return known;
    const found = this.#findGrants(user, namespace);
    if (ofUser.size >= namespacesMost) ofUser.clear();
    this.#ofUsers.set(user, ofUser.set(namespace, found));
    return found;
  }

  #forget(): void {
    this.#known.clear();
    this.#ofUsers = new WeakMap();
  }

  #findGrants(user: UserInfo, namespace: string): readonly Grant[] {
    const bound = [...this.#bound(user, namespace)];
    const key = bound.map(({ at }) => at).join('\n\n');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const grants = bound.flatMap(({ at, subject }) => [...this.#find(at, subject)]);
    if (this.#known.size >= knownMost) this.#known.clear();
    this.#known.set(key, grants);
    return grants;
  }

  /** What of a user has bindings, in the cluster and in a namespace. */
  *#bound(user: UserInfo, namespace: string): Generator<{ readonly at: string; readonly subject: Subject }> {
    for (const where of namespace === '' ? [''] : ['', namespace]) {
      for (const subject of subjectsOf(user)) {
        const at = subjectKey(subject, where);
        if (this.#bySubject.has(at)) yield { at, subject };
      }
    }
  }

  *#find(at: string, subject: Subject): Generator<Grant> {
    for (const key of this.#bySubject.get(at) ?? []) {
      const binding = this.#bindings.get(key);
      if (binding !== undefined) yield* this.#grantsOf(binding, subject);
    }
  }

  *#grantsOf(binding: Binding, subject: Subject): Generator<Grant> {
    const { roleRef } = binding;
    const at = binding.namespace === '' ? '' : `/${binding.namespace}`;
    const named = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace}` : subject.name;
    const by = `${binding.kind} "${binding.name}${at}" of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${named}"`;
    const rules = this.rules(roleRef, binding.namespace);
    const error = `${roleRef.kind.toLowerCase()}.${rbacGroup} "${roleRef.name}" not found`;
    if (rules === undefined) yield { rule: undefined, by, error };
    for (const rule of rules ?? []) yield { rule, by, error: undefined };
  }

  #unbind(key: string): void {
    const binding = this.#bindings.get(key);
    for (const subject of binding?.subjects ?? []) {
      const at = subjectKey(subject, binding?.namespace ?? '');
      const keys = this.#bySubject.get(at);
      keys?.delete(key);
      if (keys?.size === 0) this.#bySubject.delete(at);
    }
    this.#bindings.delete(key);
  }
}

export function rulesOf(role: Resource): readonly PolicyRule[] {
  return Array.isArray(role['rules']) ? (role['rules'] as readonly PolicyRule[]) : [];
}

/** The role that a binding names. */
export function roleRefOf(binding: Resource): RoleRef {
  const ref = objectOf(binding['roleRef']);
  return { kind: textOf(ref['kind']), name: textOf(ref['name']) };
}

function bindingOf(resource: RbacResource, object: Resource): Binding {
  const { namespace = '', name = '' } = object.metadata;
  return {
    kind: resource === 'rolebindings' ? 'RoleBinding' : 'ClusterRoleBinding',
    namespace,
    name,
    roleRef: roleRefOf(object),
    subjects: objectsOf(object['subjects']).map((subject) => ({
      kind: textOf(subject['kind']),
      name: textOf(subject['name']),
      // A service account without a namespace is one of the binding's.
      namespace: subject['kind'] === 'ServiceAccount' ? textOf(subject['namespace']) || namespace : '',
    })),
  };
}

function* subjectsOf(user: UserInfo): Generator<Subject> {
  yield { kind: 'User', name: user.name, namespace: '' };
  for (const name of user.groups) yield { kind: 'Group', name, namespace: '' };
  if (!user.name.startsWith(wellKnown.serviceAccountPrefix)) return;
  const [namespace = '', name = ''] = user.name.slice(wellKnown.serviceAccountPrefix.length).split(':');
  yield { kind: 'ServiceAccount', name, namespace };
}

function subjectKey(subject: Subject, namespace: string): string {
  return `${namespace}\n${subject.kind}\n${subject.namespace}\n${subject.name}`;
}

function keyOf(resource: RbacResource, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}
