import { isObject } from '#base/json.ts';

import { put, type Tree } from '../patch/json-tree.ts';
import type { ListSchema } from '../schema.ts';
import { emptySet, type FieldSet, isEmptySet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { elementOfItem, shapeOf, type Typing, typingOfField } from './typing.ts';

/** The value without the fields of a set, each with all below it; undefined when nothing is left of a map or list. */
export function removeFields(value: unknown, set: FieldSet, typing: Typing): unknown {
  if (isEmptySet(set) || shapeOf(typing, value) === 'leaf') return value;
  if (isObject(value)) return removeFromMap(value, set, typing);
  return Array.isArray(value) && typing.type === 'list' ? removeFromList(value, set, typing) : value;
}

function removeFromMap(map: Tree, set: FieldSet, typing: Typing): Tree | undefined {
  const result: Tree = {};
  for (const [name, value] of Object.entries(map)) {
    const element = fieldElement(name);
    if (set.members.has(element)) continue;
    const type = typingOfField(typing, name);
    const left = type === undefined ? value : removeFields(value, set.children.get(element) ?? emptySet, type);
    if (left !== undefined) put(result, name, left);
  }
  return Object.keys(result).length === 0 && Object.keys(map).length > 0 ? undefined : result;
}

function removeFromList(items: readonly unknown[], set: FieldSet, list: ListSchema): unknown[] | undefined {
  const result: unknown[] = [];
  for (const item of items) {
    const { element } = elementOfItem(list, item);
    if (element !== undefined && set.members.has(element)) continue;
    const below = element === undefined ? undefined : set.children.get(element);
    const left = below === undefined ? item : removeFields(item, below, list.items);
    if (left !== undefined) result.push(left);
  }
  return result.length === 0 && items.length > 0 ? undefined : result;
}
