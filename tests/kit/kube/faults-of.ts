import assert from 'node:assert/strict';

import type { KindDef } from '#kube/kind.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import type { Resource } from '#kube/resource.ts';
import { faultText } from '#kube/validation/faults.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A kind by its name, with version and group where there are several: `HorizontalPodAutoscaler.v1`, `Event.v1.events.k8s.io`. */
export function kindNamed(name: string): KindDef {
  const [kind, version, ...group] = name.split('.');
  const found = kinds.find(
    (one) =>
      one.kind === kind &&
      (version === undefined || one.version === version) &&
      (group.length === 0 || one.group === group.join('.')),
  );
  assert.ok(found !== undefined, name);
  return found;
}

/** An object with what the API server gives it on a create, before it is validated. */
export function defaulted(name: string, fields: Fields): Resource {
  const kind = kindNamed(name);
  const namespace = kind.scope === 'Cluster' ? {} : { namespace: 'default' };
  const { metadata, ...rest } = structuredClone(fields);
  const object: Resource = {
    apiVersion: 'x',
    kind: kind.kind,
    metadata: { name: 'x', ...namespace, uid: 'u-1', ...(metadata as object) },
    ...rest,
  };
  kind.setDefaults?.(object);
  return object;
}

/**
 * What the API server would say of a create, or of an update of `old`: `path: text` for each error, without the examples
 * and regular expressions that end texts about names.
 */
export function faultsOf(name: string, fields: Fields, old?: Fields): readonly string[] {
  const kind = kindNamed(name);
  const before = old === undefined ? undefined : defaulted(name, old);
  if (before !== undefined) kind.prepare?.(before, undefined);
  const object = defaulted(name, fields);
  kind.prepare?.(object, before);
  return [...(kind.validate?.(object, before) ?? [])].map(textOf);
}

export function textOf(error: Parameters<typeof faultText>[0] & { readonly path: string }): string {
  const text = faultText(error).replace(/ \(e\.g\. .*?regex used for validation is '.*?'\)/g, '');
  return error.path === '' ? text : `${error.path}: ${text}`;
}
