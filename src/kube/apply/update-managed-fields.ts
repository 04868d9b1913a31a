import { isObject } from '#base/json.ts';

import type { Tree } from '../patch/json-tree.ts';
import type { ManagedFieldsEntry, Resource } from '../resource.ts';
import { compareObjects } from './compare.ts';
import { difference, emptySet, type FieldSet, isEmptySet, setOfPaths, union } from './field-set.ts';
import { fitToSchema } from './fit-fields.ts';
import {
  encodeManagedFields,
  identityOf,
  isReset,
  type Managed,
  type ManagedFields,
  readManagedFields,
  secondsOf,
  timeText,
} from './managed-fields.ts';
import { type Kind, takeFields } from './ownership.ts';

/** Entries of writers other than appliers; the oldest beyond them are put together. */
const updateManagersMost = 10;

/** Who writes, when, and through what. */
export interface Write extends Kind {
  /** The field manager; empty: `unknown`. */
  readonly manager: string;
  /** Empty: the object itself. */
  readonly subresource: string;
  readonly nowMs: number;
}

/**
 * The object of a create, update or patch with metadata.managedFields as they are after it: the writer owns what it
 * changed, others no longer. `live` is undefined for a create. A writer can take all ownership away by `[{}]`; objects
 * without owners stay so until somebody applies.
 */
export function updateManagedFields(live: Resource | undefined, updated: Resource, write: Write): Resource {
  const given = metadataOf(updated).managedFields ?? undefined;
  const before = fitToSchema(trackedBefore(live, given, write), write);
  if (before.size === 0 && live !== undefined) return withManagedFields(updated, undefined);
  const empty: Tree = { apiVersion: updated.apiVersion, kind: updated.kind, metadata: {} };
  const old = live === undefined ? empty : withManagedFields(live, undefined);
  const after = capUpdaters(trackUpdate(old, withManagedFields(updated, undefined), before, write));
  return withManagedFields(updated, encodeManagedFields(after));
}

/** The object with these entries; undefined: none. */
export function withManagedFields(object: Resource, entries: readonly ManagedFieldsEntry[] | undefined): Resource {
  const { managedFields: _, ...metadata } = metadataOf(object);
  return { ...object, metadata: entries === undefined ? metadata : { ...metadata, managedFields: entries } };
}

/** What clients sent may have anything, or nothing, for its metadata. */
function metadataOf({ metadata }: Resource): Resource['metadata'] {
  return isObject(metadata) ? metadata : {};
}

/** Owners after a write by `update`: the writer gets what it changed, with the time of now if that is anything. */
export function trackUpdate(live: Tree, next: Tree, managed: ManagedFields, write: Write): Map<string, Managed> {
  const { managed: after } = takeFields(live, next, managed, '', write);
  const changes = compareObjects(live, next, write.schema, write.resetFields);
  const taken = difference(union(changes.modified, changes.added), unowned);
  if (isEmptySet(taken)) return after;
  const manager = writerOf(write, 'Update');
  const identity = identityOf(manager);
  const set = union(taken, after.get(identity)?.set ?? emptySet);
  return after.set(identity, { ...manager, set, time: timeText(write.nowMs) });
}

export function writerOf(write: Write, operation: Managed['operation']): Omit<Managed, 'set' | 'time'> {
  const { manager, version, subresource } = write;
  return { manager: manager === '' ? 'unknown' : manager, operation, apiVersion: version, subresource };
}

/** Fields that nobody owns: what names an object, and what the server alone writes. */
export const unowned: FieldSet = setOfPaths([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
]);

/** A writer may say who owns what, but not through a subresource; one that knows nothing of it changes nothing. */
function trackedBefore(
  live: Resource | undefined,
  given: readonly ManagedFieldsEntry[] | undefined,
  write: Write,
): ManagedFields {
  const current = live === undefined ? undefined : metadataOf(live).managedFields;
  if (write.subresource !== '') return readManagedFields(current);
  if (isReset(given)) return new Map();
  const managed = readManagedFields(given);
  return managed.size > 0 ? managed : readManagedFields(current);
}

/** Puts the oldest updaters of a version together as `ancient-changes` until there are few enough. */
function capUpdaters(managed: Map<string, Managed>): ManagedFields {
  const updaters = [...managed].filter(([, one]) => one.operation === 'Update');
  let excess = updaters.length - updateManagersMost;
  if (excess <= 0) return managed;
  updaters.sort(([id, one], [otherId, other]) => secondsOf(one) - secondsOf(other) || (id < otherId ? -1 : 1));
  const firsts = new Map<string, string>();
  for (const [identity, one] of updaters) {
    if (excess <= 0) break;
    const first = firsts.get(one.apiVersion);
    if (first === undefined) {
      firsts.set(one.apiVersion, identity);
      continue;
    }
    const bucket: Managed = { ...one, manager: 'ancient-changes', subresource: '' };
    const bucketId = identityOf(bucket);
    const before = managed.get(bucketId) ?? managed.get(first);
    if (!managed.has(bucketId)) managed.delete(first);
    managed.delete(identity);
    managed.set(bucketId, before === undefined ? bucket : { ...bucket, set: union(one.set, before.set) });
    excess -= 1;
  }
  return managed;
}
