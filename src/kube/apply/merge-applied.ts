import { isObject } from '#base/json.ts';

import { copyJson, own, put, type Tree } from '../patch/json-tree.ts';
import type { ListSchema } from '../schema.ts';
import type { PathElement } from './path-element.ts';
import { elementOfItem, itemsByElement, shapeOf, type Typing, typingOfField } from './typing.ts';

/** The live object with what was applied merged in; nothing goes away by it. The arguments stay as they are. */
export function mergeApplied(live: unknown, applied: unknown, typing: Typing): unknown {
  if (applied === undefined) return live;
  const shape = shapeOf(typing, applied);
  if (shape === 'map' && isObject(live)) return mergeMaps(live, isObject(applied) ? applied : {}, typing);
  if (shape === 'list' && typing.type === 'list' && Array.isArray(live) && live.length > 0)
    return mergeLists(live, Array.isArray(applied) ? applied : [], typing);
  return copyJson(applied);
}

/** Null or nothing for a map leaves the map as it is: it can only go field by field. */
function mergeMaps(live: Tree, applied: Tree, typing: Typing): Tree {
  const result = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const type = typingOfField(typing, name);
    if (type !== undefined) put(result, name, mergeApplied(own(live, name), value, type));
  }
  return result;
}

/** Items in the order of what was applied; those that are only in the live list keep their place between them. */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], list: ListSchema): unknown[] {
  const ours = itemsByElement(list, live);
  const theirs = itemsByElement(list, applied);
  const order = orderOf([...ours.keys()], [...theirs.keys()]);
  const twice = duplicatesIn(live, list, theirs);
  return order.flatMap((element) => {
    const merged = theirs.has(element)
      ? mergeApplied(ours.get(element), theirs.get(element), list.items)
      : ours.get(element);
    return [merged, ...(twice.get(element) ?? [])];
  });
}

/** Further items of one step that a live list may hold; what is applied replaces them. */
function duplicatesIn(
  live: readonly unknown[],
  list: ListSchema,
  applied: ReadonlyMap<PathElement, unknown>,
): ReadonlyMap<PathElement, unknown[]> {
  const seen = new Set<PathElement>();
  const twice = new Map<PathElement, unknown[]>();
  for (const item of live) {
    const { element } = elementOfItem(list, item);
    if (element === undefined || applied.has(element)) continue;
    if (seen.has(element)) twice.set(element, [...(twice.get(element) ?? []), item]);
    seen.add(element);
  }
  return twice;
}

/**
 * Walks both lists: what is only in the live one comes before the next item that both have, what is only in the applied
 * one after that. An item that both have stands where the applied list has it.
 */
function orderOf(live: readonly PathElement[], applied: readonly PathElement[]): PathElement[] {
  const [inLive, inApplied] = [new Set(live), new Set(applied)];
  const shared = applied.filter((element) => inLive.has(element));
  const order: PathElement[] = [];
  let at = 0;
  let next = 0;
  for (const element of applied) {
    while (at < live.length && live[at] !== shared[next]) {
      const candidate = live[at] ?? '';
      if (inApplied.has(candidate) && next >= shared.length) break;
      if (!inApplied.has(candidate)) order.push(candidate);
      at += 1;
    }
    order.push(element);
    if (element !== shared[next]) continue;
    next += 1;
    if (live[at] === element) at += 1;
  }
  return [...order, ...live.slice(at).filter((element) => !inApplied.has(element))];
}
