import type { CustomKind } from '#kube/custom/custom-kinds.ts';
import type { KindDef } from '#kube/kind.ts';
import type { Resource } from '#kube/resource.ts';
import type { GroupKind, GroupResource } from '#kube/status.ts';

import type { ObjectStorage } from '../storage/object-storage.ts';
import type { StoredObject } from '../storage/stored-object.ts';

/** How one version of a resource is made of what is stored, and back. Neither changes what it is given. */
export interface Conversion {
  /** Throws ApiError when it cannot be done, as `fromStored`. */
  toStored(object: Resource, signal: AbortSignal): Promise<Resource>;
  /** In the order of what is given. */
  fromStored(objects: readonly StoredObject[], signal: AbortSignal): Promise<readonly StoredObject[]>;
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

/** Stored objects as a version shows them, in their order. Throws ApiError when they cannot be converted. */
export type View = (objects: readonly StoredObject[], signal: AbortSignal) => Promise<readonly StoredObject[]>;

/** undefined: they are shown as they are stored. */
export function viewOf({ conversion }: ServedResource): View | undefined {
  return conversion === undefined ? undefined : async (objects, signal) => await conversion.fromStored(objects, signal);
}

/** One stored object as a version shows it. Throws as a View. */
export async function viewOne(
  { conversion }: ServedResource,
  stored: StoredObject,
  signal: AbortSignal,
): Promise<StoredObject> {
  const [shown = stored] = (await conversion?.fromStored([stored], signal)) ?? [];
  return shown;
}

/** A conversion that needs nobody else. */
export function plainConversion(
  toStored: (object: Resource) => Resource,
  fromStored: (object: Resource) => Resource,
): Conversion {
  return {
    toStored: async (object) => await Promise.resolve(toStored(object)),
    fromStored: async (objects) => await Promise.resolve(objects.map((one) => one.as(fromStored(one.object)))),
  };
}
