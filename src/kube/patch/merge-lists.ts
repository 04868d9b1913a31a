import { isObject } from '#base/json.ts';

import { badRequest } from '../status.ts';
import { goText, goType } from './go-text.ts';
import { own, type Tree } from './json-tree.ts';
import { unfitting } from './patch-error.ts';

export const badOrderList = 'invalid patch format of setElementOrder list';

/** How the items of one list are told apart and merged. */
export interface ListMerge {
  /** Field that names an item; undefined for lists of primitives. */
  readonly mergeKey: string | undefined;
  mergeItem(original: Tree, patch: Tree): Tree;
}

/** Merges a list of a strategic merge patch into the list of the object: items with the same key are merged, others added. */
export function mergeLists(original: readonly unknown[], patch: readonly unknown[], how: ListMerge): unknown[] {
  if (original.length + patch.length === 0) return [];
  if (typeOfItems([original, patch]) !== 'map[string]interface {}') {
    return orderItems([...new Set([...original, ...patch])], patch, original, (item) => item);
  }
  if (how.mergeKey === undefined) throw badRequest('cannot merge lists without merge key for type struct');
  const { kept, added } = carryOutDirectives(original, patch, how.mergeKey);
  const keyOf = (item: unknown): unknown => keyOfItem(item, how.mergeKey ?? '');
  return orderItems(mergeByKey(kept, added, how, keyOf), added, kept, keyOf);
}

/** What a patch list makes of no list: its items without those that say what to delete. */
export function itemsOfNewList(patch: readonly unknown[], how: ListMerge): unknown[] {
  const items = patch.filter((item) => !isObject(item) || !Object.hasOwn(item, '$patch'));
  return items.map((item) => (isObject(item) ? how.mergeItem({}, item) : item));
}

/** The list in the order that a `$setElementOrder` list says; items that it does not name keep their place among others. */
export function orderByList(
  merged: readonly unknown[],
  order: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const keyOf = mergeKey === undefined ? (item: unknown) => item : (item: unknown) => keyOfItem(item, mergeKey);
  return orderItems(merged, order, serverOrder, keyOf);
}

/** A patch list must have the items of its `$setElementOrder` list, in the same order. Throws BadRequest. */
export function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (patch.length === 0 || order.length === 0) return;
  let at = 0;
  for (const item of patch) {
    if (mergeKey !== undefined && isObject(item) && Object.hasOwn(item, '$patch')) continue;
    const key = mergeKey === undefined ? item : keyOfItem(item, mergeKey);
    while (at < order.length && (mergeKey === undefined ? order[at] : keyOfItem(order[at], mergeKey)) !== key) at += 1;
    if (at === order.length) {
      const lists = `${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`;
      throw badRequest(`The order in patch list:\n${lists}`);
    }
    at += 1;
  }
}

function carryOutDirectives(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): { kept: readonly unknown[]; added: readonly Tree[] } {
  const added: Tree[] = [];
  const deleted = new Set<unknown>();
  let replaces = false;
  for (const item of patch.filter(isObject)) {
    const directive = own(item, '$patch');
    if (!Object.hasOwn(item, '$patch')) added.push(item);
    else if (directive === 'delete') deleted.add(keyOfItem(item, mergeKey));
    else if (directive === 'replace') replaces = true;
    else if (directive === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
    else throw unknownDirective(directive, item);
  }
  if (replaces) return { kept: [], added };
  return { kept: original.filter((item) => !isObject(item) || !deleted.has(own(item, mergeKey))), added };
}

export function unknownDirective(directive: unknown, where: Tree): Error {
  return badRequest(`unknown patch type: ${goText(directive)} in map: ${goText(where)}`);
}

function mergeByKey(
  kept: readonly unknown[],
  added: readonly Tree[],
  how: ListMerge,
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const merged = [...kept];
  const places = new Map<unknown, number>();
  for (const [index, item] of kept.entries()) {
    const key = isObject(item) ? own(item, how.mergeKey ?? '') : undefined;
    if (!places.has(key)) places.set(key, index);
  }
  for (const item of added) {
    const key = keyOf(item);
    const place = places.get(key);
    const current = place === undefined ? undefined : merged[place];
    const next = how.mergeItem(isObject(current) ? current : {}, item);
    if (place === undefined) places.set(key, merged.push(next) - 1);
    else merged[place] = next;
  }
  return merged;
}

/**
 * Items that `wanted` names come in its order, the others in the order of the server's list; where both are known to the
 * server, its order says which comes first.
 */
function orderItems(
  items: readonly unknown[],
  wanted: readonly unknown[],
  server: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): unknown[] {
  const wantedRank = rankBy(wanted, keyOf);
  const serverRank = rankBy(server, keyOf);
  const named = sortByRank(
    items.filter((item) => wantedRank.has(keyOf(item))),
    (item) => wantedRank.get(keyOf(item)),
  );
  const others = sortByRank(
    items.filter((item) => !wantedRank.has(keyOf(item))),
    (item) => serverRank.get(keyOf(item)),
  );
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const rank = serverRank.get(keyOf(item)) ?? -1;
    while (next < others.length && (serverRank.get(keyOf(others[next])) ?? Infinity) < rank)
      result.push(others[next++]);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

function rankBy(list: readonly unknown[], keyOf: (item: unknown) => unknown): ReadonlyMap<unknown, number> {
  const ranks = new Map<unknown, number>();
  for (const [index, item] of list.entries()) if (!ranks.has(keyOf(item))) ranks.set(keyOf(item), index);
  return ranks;
}

function sortByRank(items: unknown[], rankOf: (item: unknown) => number | undefined): unknown[] {
  return items.sort((left, right) => (rankOf(left) ?? 0) - (rankOf(right) ?? 0));
}

function keyOfItem(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) throw badRequest(`expected a map[string]interface {}, but received a ${goType(item)}`);
  if (!Object.hasOwn(item, mergeKey))
    throw badRequest(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  return item[mergeKey];
}

/** The one Go type of all items. Throws when they differ, or are lists. */
function typeOfItems(lists: readonly (readonly unknown[])[]): string {
  const types = new Set(lists.flat().map(goType));
  if (types.has('[]interface {}')) throw unfitting('lists of lists are not supported');
  if (types.size > 1) throw badRequest(`list element types are not identical: ${goText(lists)}`);
  return [...types][0] ?? '';
}
