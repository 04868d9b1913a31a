import { isObject } from '#base/json.ts';

import { equalJson, own } from '../patch/json-tree.ts';
import type { ListSchema, StructSchema } from '../schema.ts';
import { type FieldSet, outside, type Path, setOfPaths } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { itemsByElement, shapeOf, type Typing, typingOfField } from './typing.ts';

/** What changed from one object to another. No field is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Compares field by field, as far as the schema divides ownership. Fields below `ignored` are left out. */
export function compareObjects(left: unknown, right: unknown, typing: Typing, ignored: FieldSet): Comparison {
  const changes: Changes = { added: [], modified: [], removed: [] };
  compare(left, right, typing, [], changes);
  return {
    added: outside(setOfPaths(changes.added), ignored),
    modified: outside(setOfPaths(changes.modified), ignored),
    removed: outside(setOfPaths(changes.removed), ignored),
  };
}

interface Changes {
  readonly added: Path[];
  readonly modified: Path[];
  readonly removed: Path[];
}

function compare(left: unknown, right: unknown, typing: Typing, path: Path, changes: Changes): void {
  if (left === undefined) changes.added.push(path);
  else if (right === undefined) changes.removed.push(path);
  const shape = shapeOf(typing, right ?? left);
  const isLeaf = shape === 'leaf' || shapeOf(typing, left ?? right) !== shape || (isNothing(left) && isNothing(right));
  if (isLeaf) {
    if (left !== undefined && right !== undefined && !equalJson(left, right)) changes.modified.push(path);
  } else if (shape === 'map') compareMaps(left, right, typing, path, changes);
  else if (typing.type === 'list') compareLists(left, right, typing, path, changes);
}

function compareMaps(left: unknown, right: unknown, typing: Typing, path: Path, changes: Changes): void {
  const ours = isObject(left) ? left : {};
  const theirs = isObject(right) ? right : {};
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const type = typingOfField(typing, name);
    if (type === undefined) continue;
    const always = isAlwaysThere(typing, name, type) ? nothingOf(type) : undefined;
    const one = own(ours, name) ?? (isObject(left) ? always : undefined);
    const two = own(theirs, name) ?? (isObject(right) ? always : undefined);
    compare(orNull(ours, name, one), orNull(theirs, name, two), type, [...path, fieldElement(name)], changes);
  }
}

/** An explicit null is a value. */
function orNull(map: Record<string, unknown>, name: string, value: unknown): unknown {
  return value === undefined && Object.hasOwn(map, name) ? null : value;
}

function compareLists(left: unknown, right: unknown, list: ListSchema, path: Path, changes: Changes): void {
  const ours = itemsByElement(list, Array.isArray(left) ? left : []);
  const theirs = itemsByElement(list, Array.isArray(right) ? right : []);
  for (const [element, item] of theirs) compare(ours.get(element), item, list.items, [...path, element], changes);
  for (const [element, item] of ours)
    if (!theirs.has(element)) compare(item, undefined, list.items, [...path, element], changes);
}

/** Structs that Go's types of the built-in kinds hold by value, so that they are there even when nothing is in them. */
const heldByValue: ReadonlySet<string> = new Set([
  'metadata',
  'spec',
  'status',
  'template',
  'strategy',
  'updateStrategy',
  'jobTemplate',
  'resources',
  'loadBalancer',
]);

/** Whether upstream sees the field in each object of the type; it decides who owns the field itself, not what is in it. */
function isAlwaysThere(typing: Typing, name: string, type: Typing): boolean {
  if (typing.type !== 'struct' || !isBuiltIn(typing)) return false;
  const isRequired = typing.fields.get(name)?.isRequired === true;
  return type.type === 'struct' ? isRequired || heldByValue.has(name) : type.type === 'list' && isRequired;
}

/** Types of custom resources have no names. */
function isBuiltIn(struct: StructSchema): boolean {
  return struct.name !== '';
}

function nothingOf(type: Typing): unknown {
  return type.type === 'struct' ? {} : null;
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
