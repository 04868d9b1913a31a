import type { Tree } from '../patch/json-tree.ts';
import type { StructSchema } from '../schema.ts';
import { compareObjects, type Comparison } from './compare.ts';
import { conflictsOf, type FieldConflict } from './conflict.ts';
import { fieldSetOf, withNamedFields } from './field-set-of.ts';
import { difference, emptySet, type FieldSet, intersection, isEmptySet, outside, union } from './field-set.ts';
import type { Managed, ManagedFields } from './managed-fields.ts';
import { mergeApplied } from './merge-applied.ts';
import { removeFields } from './remove-fields.ts';

/** An object in one version of its kind. */
export interface Versioned {
  readonly object: Tree;
  readonly schema: StructSchema;
}

/** What a write needs to know of the kind. */
export interface Kind {
  readonly schema: StructSchema;
  /** Group and version that the object is in, such as `apps/v1`. */
  readonly version: string;
  /** Fields that the endpoint does not write, such as `status` beside the subresource: nobody gets to own them by it. */
  readonly resetFields: FieldSet;
  /**
   * The object in another version that somebody owns fields in; undefined: there is no such version any more, and its
   * owners are forgotten. Without it all versions have the same fields.
   */
  readonly convert?: ((object: Tree, version: string) => Versioned | undefined) | undefined;
}

/**
 * Who owns what after an object changed: others lose fields that are gone, and those that got another value, which are
 * the conflicts when this is not forced. The entry `self` stays as it is.
 */
export function takeFields(
  live: Tree,
  next: Tree,
  managed: ManagedFields,
  self: string,
  kind: Kind,
): { managed: Map<string, Managed>; conflicts: readonly FieldConflict[] } {
  const compare = comparer(live, next, kind);
  const rest = new Map<string, Managed>();
  const conflicts: FieldConflict[] = [];
  for (const [identity, one] of managed) {
    if (identity === self) {
      rest.set(identity, one);
      continue;
    }
    const changes = compare(one.apiVersion);
    if (changes === undefined) continue;
    const lost = intersection(one.set, union(changes.modified, changes.added));
    conflicts.push(...conflictsOf(one, lost));
    const set = difference(difference(one.set, lost), changes.removed);
    if (!isEmptySet(set)) rest.set(identity, set === one.set ? one : { ...one, set });
  }
  return { managed: rest, conflicts };
}

/**
 * Merges what a manager applies into the live object, and takes away what it applied before and no longer does, unless
 * another applier owns it too. `owner` is the manager's entry with its new set.
 */
export function mergeOwned(
  live: Tree,
  applied: Tree,
  managed: ManagedFields,
  identity: string,
  kind: Kind,
): MergedApply {
  const merged = mergeApplied(live, applied, kind.schema) as Tree;
  const set = outside(fieldSetOf(applied, kind.schema), kind.resetFields);
  return { set, object: prune(merged, set, managed, identity, kind) };
}

export interface MergedApply {
  readonly set: FieldSet;
  readonly object: Tree;
}

/** What changed in the object, in each version that somebody owns fields in. */
function comparer(live: Tree, next: Tree, kind: Kind): (version: string) => Comparison | undefined {
  const known = new Map<string, Comparison | undefined>();
  return (version) => {
    if (!known.has(version)) {
      const [before, after] = [inVersion(live, version, kind), inVersion(next, version, kind)];
      const isKnown = before !== undefined && after !== undefined;
      known.set(
        version,
        isKnown ? compareObjects(before.object, after.object, after.schema, kind.resetFields) : undefined,
      );
    }
    return known.get(version);
  };
}

function prune(merged: Tree, set: FieldSet, managed: ManagedFields, identity: string, kind: Kind): Tree {
  const last = managed.get(identity);
  if (last === undefined || isEmptySet(last.set)) return merged;
  if (last.apiVersion === kind.version && isEmptySet(difference(last.set, set))) return merged;
  const old = inVersion(merged, last.apiVersion, kind);
  if (old === undefined) return merged;
  const lastSet = withNamedFields(last.set, old.schema);
  const dropped = removeFields(old.object, lastSet, old.schema) ?? {};
  const kept = addBackOwned(
    old.object,
    dropped as Tree,
    last.apiVersion,
    appliedSets(set, managed, identity, kind),
    kind,
  );
  const all = withNamedFields(fieldSetOf(old.object, old.schema), old.schema);
  const left = withNamedFields(fieldSetOf(kept, old.schema), old.schema);
  const gone = intersection(difference(all, left), lastSet);
  const pruned = (removeFields(old.object, gone, old.schema) ?? {}) as Tree;
  if (last.apiVersion === kind.version) return pruned;
  return inVersion(pruned, kind.version, kind)?.object ?? merged;
}

/** What appliers own together, by version; `set` is what this manager owns from now on. */
function appliedSets(
  set: FieldSet,
  managed: ManagedFields,
  identity: string,
  kind: Kind,
): ReadonlyMap<string, FieldSet> {
  const sets = new Map([[kind.version, set]]);
  for (const [key, one] of managed) {
    if (key === identity || one.operation !== 'Apply') continue;
    sets.set(one.apiVersion, union(sets.get(one.apiVersion) ?? emptySet, one.set));
  }
  return sets;
}

/** Puts back what was dropped but is owned by an applier. Objects are in `version`, as the result is. */
function addBackOwned(
  merged: Tree,
  dropped: Tree,
  version: string,
  owned: ReadonlyMap<string, FieldSet>,
  kind: Kind,
): Tree {
  let result = dropped;
  for (const [ownVersion, set] of owned) {
    const full = inVersion(merged, ownVersion, kind);
    const part = inVersion(result, ownVersion, kind);
    if (full === undefined || part === undefined) continue;
    const all = withNamedFields(fieldSetOf(full.object, full.schema), full.schema);
    const left = withNamedFields(fieldSetOf(part.object, full.schema), full.schema);
    const gone = difference(all, union(left, withNamedFields(set, full.schema)));
    const kept = (removeFields(full.object, gone, full.schema) ?? {}) as Tree;
    result = ownVersion === version ? kept : (inVersion(kept, version, kind)?.object ?? result);
  }
  return result;
}

/** The object may be in another version than the current one already. */
function inVersion(object: Tree, version: string, { schema, version: current, convert }: Kind): Versioned | undefined {
  const isCurrent = version === current && (object['apiVersion'] ?? current) === current;
  return isCurrent || convert === undefined ? { object, schema } : convert(object, version);
}
