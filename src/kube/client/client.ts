import type { KindDef } from '../kind.ts';
import type { Resource } from '../resource.ts';

/** A kind as far as clients need to know it, with the type of its objects; `kindOf` makes one of a KindDef. */
export interface KindOf<R extends Resource = Resource> extends Pick<
  KindDef,
  'group' | 'version' | 'kind' | 'plural' | 'scope'
> {
  /** Never there: it carries the type. */
  readonly objects?: R;
}

/** The kind with the type of its objects, which KindDefs in lists no longer tell. */
export function kindOf<R extends Resource>(kind: KindOf): KindOf<R> {
  const { group, version, kind: name, plural, scope } = kind;
  return { group, version, kind: name, plural, scope };
}

/** Names an object of a kind; `namespace` is empty for cluster-wide kinds. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export interface Selection {
  /** Empty or left out: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends Selection {
  /** Objects at most; the rest by `continue`. */
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface List<R extends Resource = Resource> {
  readonly items: readonly R[];
  /** Version of the collection, from which a watch goes on. */
  readonly resourceVersion: string;
  /** Says where the next page begins; empty: there is none. */
  readonly continue: string;
}

export interface WatchOptions extends Selection {
  /** Changes after this version; empty: from now, with what is there first. */
  readonly resourceVersion?: string;
  /** What is there comes first, and a bookmark with the annotation `k8s.io/initial-events-end` after it. */
  readonly sendInitialEvents?: boolean;
  /** Seconds after which the server ends the watch. */
  readonly timeoutSeconds?: number;
}

export interface WatchEvent<R extends Resource = Resource> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: R;
}

export interface WriteOptions {
  /** Who owns the fields (server-side apply). */
  readonly fieldManager?: string;
  /** Everything is done but storing. */
  readonly dryRun?: boolean;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /** Such as `status`. */
  readonly subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields that others own. */
  readonly force?: boolean;
}

export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  /** Only when the object is still this one. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic'; readonly body: object };

/**
 * A Kubernetes API as programs use it, ours or anybody's. Everything above the API works by this alone. Failures are
 * ApiErrors with the server's Status, or Unavailable when there was no answer.
 */
export interface Client {
  get<R extends Resource>(kind: KindOf<R>, key: ObjectKey, signal: AbortSignal): Promise<R>;
  list<R extends Resource>(kind: KindOf<R>, options: ListOptions, signal: AbortSignal): Promise<List<R>>;
  /** Changes as they come, until the server ends the watch or the signal aborts. Throws Expired when some are lost. */
  watch<R extends Resource>(kind: KindOf<R>, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<R>>;
  create<R extends Resource>(kind: KindOf<R>, object: R, options: WriteOptions, signal: AbortSignal): Promise<R>;
  /** Throws Conflict when the object changed since the version that it carries. */
  update<R extends Resource>(kind: KindOf<R>, object: R, options: WriteOptions, signal: AbortSignal): Promise<R>;
  patch<R extends Resource>(
    kind: KindOf<R>,
    key: ObjectKey,
    patch: Patch,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<R>;
  /** Server-side apply; makes the object when there is none. Throws Conflict with a cause per field that others own. */
  apply<R extends Resource>(kind: KindOf<R>, object: R, options: ApplyOptions, signal: AbortSignal): Promise<R>;
  delete(kind: KindOf, key: ObjectKey, options: DeleteOptions, signal: AbortSignal): Promise<void>;
}

/** The key of an object. */
export function keyOf({ metadata }: Resource): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

/** A key as one text: `namespace/name`, or the name alone. */
export function keyText({ namespace, name }: ObjectKey): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function parseKey(text: string): ObjectKey {
  const [first = '', second] = text.split('/');
  return second === undefined ? { namespace: '', name: first } : { namespace: first, name: second };
}
