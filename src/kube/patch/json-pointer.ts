import { isObject } from '#base/json.ts';

import { own, put, type Tree } from './json-tree.ts';
import { unfitting } from './patch-error.ts';

/** A place in a document: the object or list that holds it, and its key or index as written. */
export interface Place {
  readonly holder: Tree | unknown[];
  readonly key: string;
}

/** Finds a place (RFC 6901); undefined when what would hold it is not there, or the path names the whole document. */
export function findPlace(document: Tree, pointer: string): Place | undefined {
  const [, ...parts] = pointer.split('/').map(unescape);
  const key = parts.pop();
  if (key === undefined) return undefined;
  let holder: Tree | unknown[] = document;
  for (const part of parts) {
    const next: unknown = Array.isArray(holder) ? holder[indexIn(holder, part) ?? -1] : own(holder, part);
    if (!Array.isArray(next) && !isObject(next)) return undefined;
    holder = next;
  }
  return { holder, key };
}

/** Whether there is a value; `null` is one. */
export function hasValue({ holder, key }: Place): boolean {
  return Array.isArray(holder) ? indexIn(holder, key) !== undefined : Object.hasOwn(holder, key);
}

/** The value, or why there is none, in upstream's words. Object keys that are missing read as undefined. */
export function readPlace({ holder, key }: Place, where: string): unknown {
  return Array.isArray(holder) ? holder[knownIndex(holder, key, where)] : own(holder, key);
}

/** Inserts into a list (`-`: at its end), or sets a key. */
export function addAt({ holder, key }: Place, value: unknown, where: string): void {
  if (!Array.isArray(holder)) put(holder, key, value);
  else if (key === '-') holder.push(value);
  else {
    const index = toIndex(key);
    if (index === undefined)
      throw unfitting(`${where}: value was not a proper array index: '${key}': ${notNumber(key)}`);
    const at = index < 0 ? index + holder.length + 1 : index;
    if (at < 0 || at > holder.length) throw badIndex(index, where);
    holder.splice(at, 0, value);
  }
}

export function replaceAt({ holder, key }: Place, value: unknown, where: string): void {
  if (Array.isArray(holder)) holder[knownIndex(holder, key, where)] = value;
  else put(holder, key, value);
}

export function removeAt({ holder, key }: Place, where: string): void {
  if (Array.isArray(holder)) holder.splice(knownIndex(holder, key, where), 1);
  else if (!Object.hasOwn(holder, key))
    throw unfitting(`${where}: Unable to remove nonexistent key: ${key}: missing value`);
  else Reflect.deleteProperty(holder, key);
}

function knownIndex(list: readonly unknown[], key: string, where: string): number {
  const index = toIndex(key);
  if (index === undefined) throw unfitting(`${where}: ${notNumber(key)}`);
  const at = indexIn(list, key);
  if (at === undefined) throw badIndex(index, where);
  return at;
}

/** Negative indexes count from the end, as upstream allows. */
function indexIn(list: readonly unknown[], key: string): number | undefined {
  const index = toIndex(key);
  if (index === undefined) return undefined;
  const at = index < 0 ? index + list.length : index;
  return at >= 0 && at < list.length ? at : undefined;
}

function toIndex(key: string): number | undefined {
  const index = /^[+-]?\d{1,15}$/.test(key) ? Number(key) : undefined;
  return index === 0 ? 0 : index;
}

function notNumber(key: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;
}

function badIndex(index: number, where: string): Error {
  return unfitting(`${where}: Unable to access invalid index: ${String(index)}: invalid index referenced`);
}

/** `~1` is a slash and `~0` a tilde, in one pass. */
function unescape(part: string): string {
  return part.replaceAll(/~[01]/g, (escaped) => (escaped === '~1' ? '/' : '~'));
}
