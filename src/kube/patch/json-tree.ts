import { isObject } from '#base/json.ts';

import { badRequest } from '../status.ts';

/** Levels of objects and lists in what clients send: our functions call themselves once per level. */
const levelsMost = 500;

/** A JSON object whose keys a client chose: read it by `own`, write it by `put`, since `__proto__` is a key like others. */
export type Tree = Record<string, unknown>;

/** The value of a key that the object has itself; undefined otherwise. */
export function own(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

/** Sets a key, whatever its name. */
export function put(tree: Tree, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(tree, key, { value, writable: true, enumerable: true, configurable: true });
  else tree[key] = value;
}

/** A copy that shares nothing with the value. */
export function copyJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyJson);
  if (!isObject(value)) return value;
  const copy: Tree = {};
  for (const [key, item] of Object.entries(value)) put(copy, key, copyJson(item));
  return copy;
}

/** Whether two JSON values are the same; the order of keys does not matter. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left))
    return (
      Array.isArray(right) && left.length === right.length && left.every((item, index) => equalJson(item, right[index]))
    );
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equalJson(left[key], right[key]))
  );
}

/** Throws BadRequest for a value with more levels than anything of Kubernetes has. */
export function checkDepth(value: unknown, depth = 0): void {
  if (depth > levelsMost) throw badRequest(`exceeded max depth: the patch has more than ${String(levelsMost)} levels`);
  if (Array.isArray(value)) for (const item of value) checkDepth(item, depth + 1);
  else if (isObject(value)) for (const key of Object.keys(value)) checkDepth(value[key], depth + 1);
}
