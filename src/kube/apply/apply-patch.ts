import { isObject } from '#base/json.ts';

import { checkDepth, equalJson, put, type Tree } from '../patch/json-tree.ts';
import type { Resource } from '../resource.ts';
import { badRequest } from '../status.ts';
import { applyConflict, type FieldConflict } from './conflict.ts';
import { difference, equalSets, hasPath, isEmptySet } from './field-set.ts';
import { fitToSchema } from './fit-fields.ts';
import { fieldsOfLastApplied, withLastApplied } from './last-applied.ts';
import {
  decodeManagedFields,
  encodeManagedFields,
  identityOf,
  type ManagedFields,
  timeText,
} from './managed-fields.ts';
import { mergeOwned, takeFields } from './ownership.ts';
import { type Typing, typingOfElement } from './typing.ts';
import { trackUpdate, unowned, withManagedFields, type Write, writerOf } from './update-managed-fields.ts';
import { problemsOfApplied } from './validate-applied.ts';

/** Owner of what was there before anybody applied to an object without owners. */
const beforeFirstApply = 'before-first-apply';

export interface ApplyWrite extends Write {
  /** Takes fields from others instead of failing. */
  readonly force: boolean;
}

/**
 * Server-side apply: the live object (undefined: there is none) with what a manager applies, and with
 * metadata.managedFields as they are after it. What the manager applied before and leaves out now goes, unless another
 * applier owns it. Applying the same again gives an equal object. Throws BadRequest for a configuration that does not fit
 * the schema, Conflict when others own fields that would get another value.
 */
export function applyPatch(live: Resource | undefined, applied: Resource, write: ApplyWrite): Resource {
  checkApplied(applied, write);
  const object: Resource = live ?? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: {} };
  const bare = withManagedFields(object, undefined);
  const managed = ownersBefore(live, bare, write);
  const identity = identityOf(writerOf(write, 'Apply'));

  const merged = mergeOwned(bare, applied, managed, identity, write);
  const taken = takeFields(bare, merged.object, managed, identity, write);
  const conflicts = write.force ? [] : withoutMigrated(taken.conflicts, bare, write);
  if (conflicts.length > 0) throw applyConflict(conflicts);

  const next = hasNull(applied) ? (withoutNulls(merged.object, write.schema) as Resource) : (merged.object as Resource);
  const after = taken.managed;
  const set = difference(merged.set, unowned);
  if (isEmptySet(set)) after.delete(identity);
  else after.set(identity, { ...writerOf(write, 'Apply'), set, time: timeOf(identity, managed, write) });
  const result = write.manager === 'kubectl' ? (withLastApplied(next, applied) as Resource) : next;
  return withManagedFields(result, encodeManagedFields(after));

  /** Stays when neither the object nor what the manager owns changed. */
  function timeOf(key: string, before: ManagedFields, { nowMs }: ApplyWrite): string {
    const old = before.get(key);
    const isSame = old !== undefined && equalSets(old.set, set) && equalJson(bare, next);
    return (isSame ? old.time : undefined) ?? timeText(nowMs);
  }
}

/** Throws BadRequest for a configuration that does not fit the schema. */
export function checkApplied(applied: Resource, { version, schema }: Pick<ApplyWrite, 'version' | 'schema'>): void {
  checkDepth(applied);
  if (applied.apiVersion !== version) {
    const versions = `Specified patch version: ${applied.apiVersion}, expected: ${version}`;
    throw badRequest(`Incorrect version specified in apply patch. ${versions}`);
  }
  if ((applied.metadata?.managedFields ?? null) !== null) throw badRequest('metadata.managedFields must be nil');
  const problems = problemsOfApplied(applied, schema);
  if (problems.length === 0) return;
  const group = version.includes('/') ? version : `/${version}`;
  const text = problems.length === 1 ? problems[0] : ['errors:', ...problems.map((one) => `  ${one}`)].join('\n');
  const what = `(${textOf('namespace')}/${textOf('name')}; ${group}, Kind=${applied.kind})`;
  throw badRequest(`failed to create typed patch object ${what}: ${String(text)}`);

  function textOf(field: 'namespace' | 'name'): string {
    const value: unknown = isObject(applied.metadata) ? applied.metadata[field] : undefined;
    return typeof value === 'string' ? value : '';
  }
}

function ownersBefore(live: Resource | undefined, bare: Resource, write: Write): ManagedFields {
  const managed = fitToSchema(decodeManagedFields(live?.metadata.managedFields), write);
  if (live === undefined || managed.size > 0) return managed;
  const empty: Tree = { apiVersion: live.apiVersion, kind: live.kind, metadata: {} };
  return trackUpdate(empty, bare, managed, { ...write, manager: beforeFirstApply });
}

/** kubectl on the server takes over what kubectl on the client applied, when all conflicts are about that. */
function withoutMigrated(conflicts: readonly FieldConflict[], live: Tree, write: Write): readonly FieldConflict[] {
  if (conflicts.length === 0 || write.manager !== 'kubectl') return conflicts;
  const allowed = fieldsOfLastApplied(live, write);
  return conflicts.filter(({ path }) => !hasPath(allowed, path));
}

function hasNull(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasNull);
  return value === null || (isObject(value) && Object.values(value).some(hasNull));
}

/** A null means no field, where the schema does not make it a value. */
function withoutNulls(value: unknown, typing: Typing | undefined): unknown {
  if (typing?.type === 'list' && Array.isArray(value)) return value.map((item) => withoutNulls(item, typing.items));
  if (typing === undefined || !isObject(value)) return value;
  const result: Tree = {};
  for (const [key, item] of Object.entries(value)) {
    const isField = typing.type === 'struct' && typing.fields.get(key)?.isNullable === false;
    if (item !== null || !isField) put(result, key, withoutNulls(item, typingOfElement(typing, `f:${key}`)));
  }
  return result;
}
