import type { CustomKind } from '#kube/custom/custom-kinds.ts';
import type { KindDef } from '#kube/kind.ts';
import type { Resource } from '#kube/resource.ts';
import type { GroupKind, GroupResource } from '#kube/status.ts';

import type { ObjectStorage } from '../storage/object-storage.ts';

/** How one version of a resource is made of the stored one, and back. Neither changes what it is given. */
export interface Conversion {
  toStored(object: Resource): Resource;
  fromStored(object: Resource): Resource;
}

/** A resource in one version, as clients reach it. */
export interface ServedResource {
  readonly def: KindDef;
  /** Shared by all versions of the resource; undefined: its objects are answered and forgotten (reviews). */
  readonly storage: ObjectStorage | undefined;
  /** undefined: it is stored as it is served. */
  readonly conversion: Conversion | undefined;
  /** What only kinds of definitions have; undefined: it is a built-in one. */
  readonly custom?: CustomKind;
  /** Uid and generation of its definition. */
  readonly source?: string;
}

export function groupResourceOf({ group, plural }: KindDef): GroupResource {
  return { group, resource: plural };
}

export function groupKindOf({ group, kind }: KindDef): GroupKind {
  return { group, kind };
}

/** `apps/v1`, `v1`. */
export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

export function viewOf({ conversion }: ServedResource): (object: Resource) => Resource {
  return conversion === undefined ? (object) => object : (object) => conversion.fromStored(object);
}
