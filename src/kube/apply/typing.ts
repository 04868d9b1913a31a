import { isObject } from '#base/json.ts';

import type { ListSchema, Schema } from '../schema.ts';
import { keyElement, type PathElement, valueElement } from './path-element.ts';

/** The type of a value as far as ownership goes: its schema, or `deduced` for what a schema keeps without knowing it. */
export type Typing = Schema | typeof deduced;

/** Unknown fields (x-kubernetes-preserve-unknown-fields): maps have an owner per field, all else one. */
export const deduced = { type: 'deduced' } as const;

/** How ownership of a value is divided: a leaf has one owner; a map one per field, a list one per item. */
export function shapeOf(typing: Typing, value: unknown): 'leaf' | 'map' | 'list' {
  if (typing.type === 'deduced') return isObject(value) ? 'map' : 'leaf';
  if (typing.type === 'scalar' || typing.type === 'any') return 'leaf';
  const isNothing = value === null || value === undefined;
  if (typing.type === 'list') return typing.kind !== 'atomic' && (isNothing || Array.isArray(value)) ? 'list' : 'leaf';
  return !typing.isAtomic && (isNothing || isObject(value)) ? 'map' : 'leaf';
}

/** The type of a field; undefined: the schema does not know it. */
export function typingOfField(typing: Typing, name: string): Typing | undefined {
  if (typing.type === 'deduced') return deduced;
  if (typing.type === 'map') return typing.values;
  if (typing.type !== 'struct') return undefined;
  return typing.fields.get(name)?.schema ?? (typing.keepsUnknown ? deduced : undefined);
}

/** Whether the schema names the field, so that it can own nothing by being there. */
export function isDeclared(typing: Typing, name: string): boolean {
  return typing.type === 'struct' && typing.fields.has(name);
}

/** The type of what a step leads to. */
export function typingOfElement(typing: Typing, element: PathElement): Typing | undefined {
  if (element.startsWith('f:')) return typingOfField(typing, element.slice(2));
  return typing.type === 'list' ? typing.items : undefined;
}

/** The items of a list by their steps, in order; of those with one step the first. Items that have none are left out. */
export function itemsByElement(list: ListSchema, items: readonly unknown[]): Map<PathElement, unknown> {
  const found = new Map<PathElement, unknown>();
  for (const item of items) {
    const { element } = elementOfItem(list, item);
    if (element !== undefined && !found.has(element)) found.set(element, item);
  }
  return found;
}

/** The step to an item, or what is wrong with it, in upstream's words. Keys that are absent count as their defaults. */
export function elementOfItem(
  list: ListSchema,
  item: unknown,
): { element: PathElement; problem?: undefined } | { element?: undefined; problem: string } {
  if (list.kind === 'set' || list.keys.length === 0) {
    if (isObject(item)) return { problem: "associative list without keys has an element that's a map type" };
    if (Array.isArray(item)) return { problem: 'not supported: associative list with lists as elements' };
    if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
    return { element: valueElement(item) };
  }
  if (item === null) return { problem: 'associative list with keys may not have a null element' };
  if (!isObject(item)) return { problem: 'associative list with keys may not have non-map elements' };
  const keys: [string, unknown][] = [];
  for (const key of list.keys) {
    const value = Object.hasOwn(item, key) ? item[key] : defaultOf(list, key);
    if (value === undefined) {
      const omitted = `associative list with keys has an element that omits key field ${JSON.stringify(key)}`;
      return { problem: `${omitted} (and doesn't have default value)` };
    }
    keys.push([key, value]);
  }
  return { element: keyElement(keys) };
}

function defaultOf(list: ListSchema, key: string): unknown {
  return list.items.type === 'struct' ? list.items.fields.get(key)?.defaultValue : undefined;
}
