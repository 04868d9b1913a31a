import { isObject } from '#base/json.ts';

import type { ListSchema } from '../schema.ts';
import { emptySet, type FieldSet, isEmptySet } from './field-set.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import { elementOfItem, isDeclared, shapeOf, type Typing, typingOfElement, typingOfField } from './typing.ts';

/**
 * The fields that an object sets: leaves, items of lists, keys of maps, and what is empty or null. Fields of structs that
 * have fields below are not in it themselves.
 */
export function fieldSetOf(value: unknown, typing: Typing): FieldSet {
  if (isObject(value)) return fieldsOfMap(value, typing);
  return Array.isArray(value) && typing.type === 'list' ? fieldsOfList(value, typing) : emptySet;
}

function fieldsOfMap(map: Record<string, unknown>, typing: Typing): FieldSet {
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  for (const [name, value] of Object.entries(map)) {
    const type = typingOfField(typing, name);
    if (type === undefined) continue;
    const element = fieldElement(name);
    const isLeaf = shapeOf(type, value) === 'leaf';
    const isEmpty = value === null || (isObject(value) && Object.keys(value).length === 0);
    if (isLeaf || isEmpty || !isDeclared(typing, name)) members.add(element);
    if (isLeaf) continue;
    const below = fieldSetOf(value, type);
    if (!isEmptySet(below)) children.set(element, below);
  }
  return { members, children };
}

/** An item that is there twice has one owner for all of it. */
function fieldsOfList(items: readonly unknown[], list: ListSchema): FieldSet {
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  for (const item of items) {
    const { element } = elementOfItem(list, item);
    if (element === undefined) continue;
    if (members.has(element)) {
      children.delete(element);
      continue;
    }
    members.add(element);
    if (shapeOf(list.items, item) === 'leaf') continue;
    const below = fieldSetOf(item, list.items);
    if (!isEmptySet(below)) children.set(element, below);
  }
  return { members, children };
}

/**
 * The set with the fields of structs that have fields of the set below them: who owns `spec.replicas` then owns `spec`.
 */
export function withNamedFields(set: FieldSet, typing: Typing | undefined): FieldSet {
  if (typing === undefined) return set;
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    if (element.startsWith('f:') && isDeclared(typing, element.slice(2))) members.add(element);
    children.set(element, withNamedFields(child, typingOfElement(typing, element)));
  }
  return { members, children };
}
