import { isObject } from '#base/json.ts';

import { put, type Tree } from '../patch/json-tree.ts';
import { parseElement, type PathElement, printElement, sortElements } from './path-element.ts';

/** From the root of an object to one of its fields. */
export type Path = readonly PathElement[];

/**
 * A set of fields: `members` are in the set themselves, `children` have fields below that are. Never changed after it was
 * made, and no child is empty.
 */
export interface FieldSet {
  readonly members: ReadonlySet<PathElement>;
  readonly children: ReadonlyMap<PathElement, FieldSet>;
}

export const emptySet: FieldSet = { members: new Set(), children: new Map() };

export function isEmptySet(set: FieldSet): boolean {
  return set.members.size === 0 && set.children.size === 0;
}

/** The set of these paths; the path of the whole object is nobody's field. */
export function setOfPaths(paths: Iterable<Path>): FieldSet {
  const root: Growing = { members: new Set(), children: new Map() };
  for (const path of paths) {
    const last = path.at(-1);
    if (last === undefined) continue;
    let at = root;
    for (const element of path.slice(0, -1)) {
      let next = at.children.get(element);
      if (next === undefined) at.children.set(element, (next = { members: new Set(), children: new Map() }));
      at = next;
    }
    at.members.add(last);
  }
  return root;
}

interface Growing extends FieldSet {
  readonly members: Set<PathElement>;
  readonly children: Map<PathElement, Growing>;
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(left)) return right;
  if (isEmptySet(right)) return left;
  const children = new Map(left.children);
  for (const [element, child] of right.children) {
    const own = children.get(element);
    children.set(element, own === undefined ? child : union(own, child));
  }
  return { members: left.members.union(right.members), children };
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, left.members.intersection(right.members), (element, child) => {
    const other = right.children.get(element);
    return other === undefined ? emptySet : intersection(child, other);
  });
}

/** Fields of `left` that are not in `right`. A field in `right` takes nothing below it away. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left;
  return combine(left, left.members.difference(right.members), (element, child) => {
    const other = right.children.get(element);
    return other === undefined ? child : difference(child, other);
  });
}

/** Fields of `left` that are neither in `right` nor below a field in it. */
export function outside(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left;
  return combine(left, left.members.difference(right.members), (element, child) => {
    if (right.members.has(element)) return emptySet;
    const other = right.children.get(element);
    return other === undefined ? child : outside(child, other);
  });
}

/** Fields that have no field below them in the set. */
export function leaves(set: FieldSet): FieldSet {
  const members = new Set([...set.members].filter((element) => !set.children.has(element)));
  return combine(set, members, (_, child) => leaves(child));
}

export function equalSets(left: FieldSet, right: FieldSet): boolean {
  return (
    left.members.size === right.members.size &&
    left.children.size === right.children.size &&
    left.members.isSubsetOf(right.members) &&
    [...left.children].every(([element, child]) => equalSets(child, right.children.get(element) ?? emptySet))
  );
}

export function hasPath(set: FieldSet, path: Path): boolean {
  const last = path.at(-1);
  let at: FieldSet | undefined = set;
  for (const element of path.slice(0, -1)) at = at?.children.get(element);
  return last !== undefined && at !== undefined && at.members.has(last);
}

/** All paths, a set's own members before those of its children. */
export function* pathsOf(set: FieldSet, above: Path = []): Generator<Path> {
  for (const element of sortElements(set.members)) yield [...above, element];
  for (const element of sortElements(set.children.keys()))
    yield* pathsOf(set.children.get(element) ?? emptySet, [...above, element]);
}

/** As messages have it: `.spec.containers[name="a"].image`. */
export function printPath(path: Path): string {
  return path.map(printElement).join('');
}

/** Reads FieldsV1. Throws a SyntaxError with upstream's words. */
export function parseFields(fields: unknown): FieldSet {
  return read(fields).below;
}

/** FieldsV1: sorted, `.` first. */
export function printFields(set: FieldSet): Tree {
  const tree: Tree = {};
  const elements = new Set([...set.members, ...set.children.keys()]);
  for (const element of sortElements(elements)) {
    const child = set.children.get(element);
    const below = child === undefined ? {} : printFields(child);
    put(tree, element, child !== undefined && set.members.has(element) ? { '.': {}, ...below } : below);
  }
  return tree;
}

/** The fields below, and whether the field itself is in the set: it is when `.` says so or nothing is below. */
function read(fields: unknown): { below: FieldSet; isMember: boolean } {
  if (!isObject(fields)) throw new SyntaxError('ReadMapCB: expect { or n');
  const members = new Set<PathElement>();
  const children = new Map<PathElement, FieldSet>();
  let isMember = false;
  for (const [key, value] of Object.entries(fields)) {
    const element = key === '.' ? undefined : parseElement(key);
    if (key === '.') isMember = true;
    if (element === undefined) continue;
    const child = read(value);
    if (child.isMember) members.add(element);
    if (!isEmptySet(child.below)) children.set(element, child.below);
  }
  const below = { members, children };
  return { below, isMember: isMember || isEmptySet(below) };
}

function combine(
  set: FieldSet,
  members: ReadonlySet<PathElement>,
  childOf: (element: PathElement, child: FieldSet) => FieldSet,
): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const next = childOf(element, child);
    if (!isEmptySet(next)) children.set(element, next);
  }
  return { members, children };
}
