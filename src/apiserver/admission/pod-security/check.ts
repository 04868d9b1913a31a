import type { ObjectMeta } from '#kube/resource.ts';
import type { Container, PodSecurityContext, PodSpec, SecurityContext } from '#kube/types/gen/core-v1.ts';

/** What a standard forbids in a pod: the short reason, and which parts of the pod it is about. */
export interface Finding {
  readonly reason: string;
  readonly detail: string;
}

/** One rule of a Pod Security Standard. */
export interface Check {
  readonly id: string;
  /** Minor version of Kubernetes from which on the rule is part of its standard. */
  readonly since: number;
  /** Rule of the baseline whose place this one takes in the restricted standard. */
  readonly replaces?: string;
  /** Does not hold for pods of Windows, from version 1.25 on. */
  readonly isForLinux?: boolean;
  find(pod: CheckedPod, minor: number): Finding | undefined;
}

/** The parts of a pod or pod template that rules look at. */
export interface CheckedPod {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

/** All containers in the order in which upstream names them. */
export function containersOf(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** Names of the containers that a rule does not like. */
export function badContainers(spec: PodSpec, isBad: (container: Container) => boolean): readonly string[] {
  return containersOf(spec)
    .filter(isBad)
    .map(({ name = '' }) => name);
}

/** `container "a"` or `containers "a", "b"`. */
export function containersText(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`;
}

export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

export function quoted(values: readonly string[]): string {
  return values.map((value) => `"${value}"`).join(', ');
}

export function sorted(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** Pod and containers whose security context has something bad: `pod and container "a"`; empty for none. */
export function settersText(spec: PodSpec, isBad: (context: PodSecurityContext & SecurityContext) => boolean): string {
  const names = badContainers(spec, ({ securityContext }) => securityContext !== undefined && isBad(securityContext));
  const setters = spec.securityContext !== undefined && isBad(spec.securityContext) ? ['pod'] : [];
  if (names.length > 0) setters.push(containersText(names));
  return setters.join(' and ');
}

/** Values that pod and containers have somewhere in their security contexts. */
export function contextValues<T>(
  spec: PodSpec,
  valueOf: (context: PodSecurityContext & SecurityContext) => T | undefined,
): readonly T[] {
  const contexts = [spec.securityContext, ...containersOf(spec).map(({ securityContext }) => securityContext)];
  return contexts.flatMap((context) => {
    const value = context === undefined ? undefined : valueOf(context);
    return value === undefined ? [] : [value];
  });
}
