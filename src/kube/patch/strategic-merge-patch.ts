import { isObject } from '#base/json.ts';

import type { Schema, StructSchema } from '../schema.ts';
import { badRequest } from '../status.ts';
import { goType } from './go-text.ts';
import { checkDepth, copyJson, own, put, type Tree } from './json-tree.ts';
import {
  badOrderList,
  checkOrder,
  itemsOfNewList,
  type ListMerge,
  mergeLists,
  orderByList,
  unknownDirective,
} from './merge-lists.ts';

const orderPrefix = '$setElementOrder';
const deletePrefix = '$deleteFromPrimitiveList';
const badDeleteList = 'invalid patch format of primitive list';
const badRetainKeys = 'invalid patch format of retainKeys';

/**
 * The object after a strategic merge patch; the argument stays as it is. The schema says which lists are merged and by
 * which key. Directives: `$patch: delete | replace`, `$retainKeys`, `$deleteFromPrimitiveList/x`, `$setElementOrder/x`.
 * Throws BadRequest or Invalid in upstream's words.
 */
export function applyStrategicMergePatch(object: Tree, patch: unknown, schema: StructSchema): Tree {
  if (!isObject(patch)) throw badRequest('invalid JSON document');
  checkDepth(patch);
  return mergeObjects(object, patch, schema);
}

function mergeObjects(original: Tree, patch: Tree, schema: Schema | undefined): Tree {
  if (Object.hasOwn(patch, '$patch')) return replaceOrEmpty(patch);
  const result = { ...original };
  const rest = { ...patch };
  retainKeys(result, rest);
  for (const key of Object.keys(rest)) if (key.startsWith(orderPrefix)) mergeOrderedList(result, rest, key, schema);
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith(deletePrefix)) deletePrimitives(result, key, value, schema);
    else if (value === null) Reflect.deleteProperty(result, key);
    else mergeField(result, key, value, fieldOf(schema, key));
  }
  return result;
}

function replaceOrEmpty(patch: Tree): Tree {
  const { $patch: directive, ...rest } = patch;
  if (directive === 'replace') return copyJson(rest) as Tree;
  if (directive === 'delete') return {};
  throw unknownDirective(directive, patch);
}

function mergeField(result: Tree, key: string, value: unknown, field: FieldMerge): void {
  const current = own(result, key);
  if (isObject(value)) {
    if (current === undefined && own(value, '$patch') === 'delete') return;
    const replaces = field.replaces || !isObject(current);
    put(result, key, mergeObjects(replaces ? {} : current, value, field.schema));
  } else if (Array.isArray(value) && field.merges) {
    put(result, key, Array.isArray(current) ? mergeLists(current, value, field) : itemsOfNewList(value, field));
  } else put(result, key, copyJson(value));
}

/** `$retainKeys` names all fields that stay; what the patch sets must be among them. */
function retainKeys(result: Tree, patch: Tree): void {
  if (!Object.hasOwn(patch, '$retainKeys')) return;
  const list = patch['$retainKeys'];
  delete patch['$retainKeys'];
  if (!Array.isArray(list)) throw badRequest(badRetainKeys);
  const keys = new Set<unknown>(list);
  for (const [key, value] of Object.entries(patch)) {
    const isDirective = key.startsWith(orderPrefix) || key.startsWith(deletePrefix);
    if (value !== null && !isDirective && !keys.has(key)) throw badRequest(badRetainKeys);
  }
  for (const key of Object.keys(result)) if (!keys.has(key)) Reflect.deleteProperty(result, key);
}

/** Merges the list that a `$setElementOrder/x` is about, and takes both out of the patch. */
function mergeOrderedList(result: Tree, patch: Tree, directive: string, schema: Schema | undefined): void {
  const order = listOr(patch[directive]);
  const key = nameAfter(directive, orderPrefix, badOrderList);
  const field = fieldOf(schema, key);
  const original = Object.hasOwn(result, key) ? listOr(result[key]) : undefined;
  const added = Object.hasOwn(patch, key) && patch[key] !== null ? listOr(patch[key]) : undefined;
  delete patch[directive];
  checkOrder(added ?? [], order, field.mergeKey);
  if (added === undefined && (original === undefined || patch[key] === null)) return;
  Reflect.deleteProperty(patch, key);
  const merged =
    added === undefined ? (original ?? []) : original === undefined ? itemsOfNewList(added, field) : mergeOne();
  put(result, key, orderByList(merged, order, original ?? [], field.mergeKey));

  function mergeOne(): unknown[] {
    return field.merges ? mergeLists(original ?? [], added ?? [], field) : [...(added ?? [])];
  }
}

function deletePrimitives(result: Tree, directive: string, value: unknown, schema: Schema | undefined): void {
  const key = nameAfter(directive, deletePrefix, badDeleteList);
  if (value === null) return void Reflect.deleteProperty(result, key);
  if (!Array.isArray(value) || !fieldOf(schema, key).merges) throw badRequest(badDeleteList);
  const current = own(result, key);
  if (!Array.isArray(current)) return;
  const gone = new Set<unknown>(value);
  put(
    result,
    key,
    current.filter((item) => !gone.has(item)),
  );
}

interface FieldMerge extends ListMerge {
  readonly schema: Schema | undefined;
  readonly merges: boolean;
  /** An object is taken from the patch whole. */
  readonly replaces: boolean;
}

function fieldOf(schema: Schema | undefined, key: string): FieldMerge {
  const field = schema?.type === 'struct' ? schema.fields.get(key) : undefined;
  const type = schema?.type === 'map' ? schema.values : field?.schema;
  const items = type?.type === 'list' ? type.items : undefined;
  const patch = field?.patch;
  return {
    schema: type,
    merges: patch?.merges ?? false,
    replaces: patch !== undefined && !patch.merges && !patch.retainsKeys,
    mergeKey: patch?.mergeKey,
    mergeItem: (original, change) => mergeObjects(original, change, items),
  };
}

function nameAfter(directive: string, prefix: string, otherwise: string): string {
  if (!directive.startsWith(`${prefix}/`)) throw badRequest(otherwise);
  return directive.slice(prefix.length + 1);
}

function listOr(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw badRequest(`expected a []interface {}, but received a ${goType(value)}`);
  return value;
}
