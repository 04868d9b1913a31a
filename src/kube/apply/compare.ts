import { isObject } from '#base/json.ts';

import { equalJson, own } from '../patch/json-tree.ts';
import type { ListSchema, StructSchema } from '../schema.ts';
import { emptySet, type FieldSet, outside } from './field-set.ts';
import { fieldElement, type PathElement } from './path-element.ts';
import { itemsByElement, shapeOf, type Typing, typingOfField } from './typing.ts';

/** What changed from one object to another. No field is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Compares field by field, as far as the schema divides ownership. Fields below `ignored` are left out. */
export function compareObjects(left: unknown, right: unknown, typing: Typing, ignored: FieldSet): Comparison {
  const { added, modified, removed } = below(left, right, typing);
  return {
    added: outside(added ?? emptySet, ignored),
    modified: outside(modified ?? emptySet, ignored),
    removed: outside(removed ?? emptySet, ignored),
  };
}

type Sort = keyof Comparison;

/** Sets that grow; undefined: nothing is in it yet. */
interface Changes {
  added: Growing | undefined;
  modified: Growing | undefined;
  removed: Growing | undefined;
}

interface Growing extends FieldSet {
  readonly members: Set<PathElement>;
  readonly children: Map<PathElement, FieldSet>;
}

/** What changed below a value. */
function below(left: unknown, right: unknown, typing: Typing): Changes {
  const changes: Changes = { added: undefined, modified: undefined, removed: undefined };
  const shape = shapeOf(typing, right ?? left);
  if (shape === 'map') compareMaps(left, right, typing, changes);
  else if (shape === 'list' && typing.type === 'list') compareLists(left, right, typing, changes);
  return changes;
}

/** What changed at a step: the field itself, and what is below it. */
function compare(left: unknown, right: unknown, typing: Typing, element: PathElement, changes: Changes): void {
  if (left === right) return;
  if (left === undefined) growing(changes, 'added').members.add(element);
  else if (right === undefined) growing(changes, 'removed').members.add(element);
  const shape = shapeOf(typing, right ?? left);
  if (shape === 'leaf' || shapeOf(typing, left ?? right) !== shape || (isNothing(left) && isNothing(right))) {
    if (left !== undefined && right !== undefined && !equalJson(left, right))
      growing(changes, 'modified').members.add(element);
    return;
  }
  const inner = below(left, right, typing);
  if (inner.added !== undefined) growing(changes, 'added').children.set(element, inner.added);
  if (inner.modified !== undefined) growing(changes, 'modified').children.set(element, inner.modified);
  if (inner.removed !== undefined) growing(changes, 'removed').children.set(element, inner.removed);
}

function growing(changes: Changes, sort: Sort): Growing {
  return (changes[sort] ??= { members: new Set(), children: new Map() });
}

function compareMaps(left: unknown, right: unknown, typing: Typing, changes: Changes): void {
  const ours = isObject(left) ? left : {};
  const theirs = isObject(right) ? right : {};
  const visit = (name: string): void => {
    const type = typingOfField(typing, name);
    if (type === undefined) return;
    const always = isAlwaysThere(typing, name, type) ? nothingOf(type) : undefined;
    const one = own(ours, name) ?? (isObject(left) ? always : undefined);
    const two = own(theirs, name) ?? (isObject(right) ? always : undefined);
    compare(orNull(ours, name, one), orNull(theirs, name, two), type, fieldElement(name), changes);
  };
  for (const name of Object.keys(ours)) visit(name);
  for (const name of Object.keys(theirs)) if (!Object.hasOwn(ours, name)) visit(name);
}

/** An explicit null is a value. */
function orNull(map: Record<string, unknown>, name: string, value: unknown): unknown {
  return value === undefined && Object.hasOwn(map, name) ? null : value;
}

function compareLists(left: unknown, right: unknown, list: ListSchema, changes: Changes): void {
  const ours = itemsByElement(list, Array.isArray(left) ? left : []);
  const theirs = itemsByElement(list, Array.isArray(right) ? right : []);
  for (const [element, item] of theirs) compare(ours.get(element), item, list.items, element, changes);
  for (const [element, item] of ours) if (!theirs.has(element)) compare(item, undefined, list.items, element, changes);
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
