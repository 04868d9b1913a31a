import type { FieldError } from './field-error.ts';
import type { Resource } from './resource.ts';
import type { StructSchema } from './schema.ts';

/** Everything that the API server, clients, kubectl's tables, the console and documents need to know of a kind. */
export interface KindDef<R extends Resource = Resource> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural in lower case, as in paths. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Such as `all`. */
  readonly categories: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** What clients may do; create-only kinds (reviews) have `create` alone. */
  readonly verbs: readonly Verb[];
  /** A PUT of what is not there creates it (upstream's AllowCreateOnUpdate). */
  readonly createsOnUpdate: boolean;
  /** A PUT must say which revision it replaces (the opposite of upstream's AllowUnconditionalUpdate). */
  readonly needsRevision: boolean;
  readonly subresources: readonly Subresource[];
  readonly schema: StructSchema;
  readonly columns: readonly Column<R>[];
  /** Fields by which lists can be narrowed besides metadata.name and metadata.namespace, with their values. */
  readonly selectableFields: Readonly<Record<string, (object: R) => string>>;
  /** Fills what upstream's defaulting fills; the object is the caller's own copy. */
  readonly setDefaults?: (object: R) => void;
  /**
   * Fills and clears what upstream's strategy does before a create or update (status dropped, generation); not for writes
   * to subresources. The uid of a new object is set before.
   */
  readonly prepare?: (object: R, old: R | undefined) => void;
  /** Set when the same objects are stored as another kind, as both kinds of Event are: they are one list under two names. */
  readonly storedAs?: StoredAs<R>;
  /** In place of `validate` for writes to some subresources, which may change what others may not. */
  readonly subresourceRules?: Readonly<Record<string, (object: R, old: R) => Iterable<FieldError>>>;
  /** What is wrong beyond its schema, in upstream's order and words; `old`: the object that an update replaces. */
  readonly validate?: (object: R, old: R | undefined) => readonly FieldError[];
}

/** How objects of a kind become those of the kind they are stored as, and back; neither changes what it gets. */
export interface StoredAs<R extends Resource = Resource> {
  readonly kind: KindDef;
  readonly toStored: (object: R) => Resource;
  readonly fromStored: (object: Resource) => R;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface Subresource {
  /** Such as `status` or `scale`. */
  readonly name: string;
  /** Kind of its bodies when it is not the parent's, such as autoscaling/v1 Scale. */
  readonly body: { readonly group: string; readonly version: string; readonly kind: string } | undefined;
  readonly verbs: readonly Verb[];
}

/** A column of a table (meta/v1 TableColumnDefinition). Priority 0 is shown always, 1 with `-o wide`. */
export interface Column<R extends Resource = Resource> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  readonly priority: number;
  readonly cell: (object: R, nowMs: number) => string | number | boolean | null;
}
