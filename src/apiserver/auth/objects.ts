import type { Resource } from '#kube/resource.ts';

/** A kind of objects by its path: `{ group: '', resource: 'pods' }`. */
export interface ResourceName {
  /** Empty for the core group. */
  readonly group: string;
  /** Plural in lower case. */
  readonly resource: string;
}

export interface ObjectChange {
  /** `synced`: all that was there at the start has been told. */
  readonly type: 'put' | 'remove' | 'synced';
  /** For `remove` the last state; undefined for `synced`. */
  readonly object: Resource | undefined;
}

/** The API's own objects, as authentication, authorization and admission read and write them; past all three. */
export interface Objects {
  /** The latest state in the store. `namespace` is empty for kinds of the cluster. */
  get(of: ResourceName, namespace: string, name: string, signal: AbortSignal): Promise<Resource | undefined>;
  /** Of one namespace, or of all when it is empty. */
  list(of: ResourceName, namespace: string, signal: AbortSignal): Promise<readonly Resource[]>;
  /** What there is, `synced`, and each change after it, in order, until the signal aborts. */
  follow(of: ResourceName, signal: AbortSignal): AsyncIterable<ObjectChange>;
  /** Throws ApiError AlreadyExists. */
  create(of: ResourceName, object: Resource, signal: AbortSignal): Promise<Resource>;
  /** Replaces object and status when the stored resourceVersion is the object's; throws ApiError Conflict or NotFound. */
  update(of: ResourceName, object: Resource, signal: AbortSignal): Promise<Resource>;
  /** Removes the object as it is; throws as `update`. What finalizers hold is marked as being deleted instead. */
  delete(of: ResourceName, object: Resource, signal: AbortSignal): Promise<void>;
}
