import { isObject } from '#base/json.ts';

import { own, put, type Tree } from '../patch/json-tree.ts';
import { compareObjects } from './compare.ts';
import { fieldSetOf } from './field-set-of.ts';
import { difference, emptySet, type FieldSet } from './field-set.ts';
import type { Kind } from './ownership.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** Bytes that all annotations of an object may have together. */
const annotationBytesMost = 256 * 1024;

/**
 * Fields that client-side apply set and that still have the value it set: kubectl may take them over when it applies on
 * the server for the first time.
 */
export function fieldsOfLastApplied(live: Tree, kind: Kind): FieldSet {
  const applied = readLastApplied(live);
  if (applied === undefined || applied['apiVersion'] !== kind.version) return emptySet;
  const changes = compareObjects(applied, live, kind.schema, emptySet);
  const set = fieldSetOf(applied, kind.schema);
  return difference(difference(difference(set, changes.modified), changes.added), changes.removed);
}

/** The object with its annotation of client-side apply as if that had applied this; objects without stay without. */
export function withLastApplied(object: Tree, applied: Tree): Tree {
  const metadata = treeOf(object, 'metadata');
  const annotations = treeOf(metadata, 'annotations');
  if (typeof own(annotations, annotation) !== 'string' || own(annotations, annotation) === '') return object;
  const { [annotation]: _, ...others } = annotations;
  const text = `${sortedJson(withoutAnnotation(applied))}\n`;
  const bytes = Object.entries({ ...others, [annotation]: text }).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  const next = bytes > annotationBytesMost ? others : { ...others, [annotation]: text };
  return { ...object, metadata: { ...metadata, annotations: next } };
}

function readLastApplied(live: Tree): Tree | undefined {
  const text = own(treeOf(treeOf(live, 'metadata'), 'annotations'), annotation);
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const applied: unknown = JSON.parse(text);
    return isObject(applied) ? applied : undefined;
  } catch {
    return undefined;
  }
}

function withoutAnnotation(applied: Tree): Tree {
  const metadata = treeOf(applied, 'metadata');
  if (!isObject(own(metadata, 'annotations'))) return applied;
  const { [annotation]: _, ...annotations } = treeOf(metadata, 'annotations');
  return { ...applied, metadata: { ...metadata, annotations } };
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (!isObject(one)) return one;
    const sorted: Tree = {};
    for (const key of Object.keys(one).toSorted()) put(sorted, key, one[key]);
    return sorted;
  });
}

function treeOf(tree: Tree, key: string): Tree {
  const value = own(tree, key);
  return isObject(value) ? value : {};
}
