import { isObject } from '#base/json.ts';

import { ApiError, badRequest } from '../status.ts';
import { addAt, findPlace, hasValue, type Place, readPlace, removeAt, replaceAt } from './json-pointer.ts';
import { checkDepth, copyJson, equalJson, own, type Tree } from './json-tree.ts';
import { unfitting } from './patch-error.ts';

const operationsMost = 10_000;
/** Bytes that the `copy` operations of one patch may add together, so that a small patch cannot make a huge object. */
const copiedBytesMost = 3 * 1024 * 1024;

/**
 * The document after a JSON patch (RFC 6902); the argument stays as it is. Like upstream it does not replace the whole
 * document, and takes negative indexes. Throws BadRequest for what is no patch, RequestEntityTooLarge for more than
 * 10,000 operations, Invalid when an operation does not fit the document.
 */
export function applyJsonPatch(document: Tree, patch: unknown): Tree {
  checkDepth(patch);
  const operations = decodePatch(patch);
  const result = copyJson(document) as Tree;
  let copiedBytes = 0;
  for (const operation of operations) {
    if (operation['op'] === 'copy') copiedBytes += copy(result, operation, copiedBytes);
    else applyOperation(result, operation);
  }
  return result;
}

function decodePatch(patch: unknown): readonly Tree[] {
  if (!Array.isArray(patch)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  const operations = patch.filter(isObject);
  if (operations.length < patch.length)
    throw badRequest('json: cannot unmarshal value into Go value of type jsonpatch.Operation');
  if (operations.length > operationsMost) {
    const counts = `is ${String(operationsMost)}, got ${String(operations.length)}`;
    throw new ApiError('RequestEntityTooLarge', `The allowed maximum operations in a JSON patch ${counts}`);
  }
  return operations;
}

function applyOperation(document: Tree, operation: Tree): void {
  const op = own(operation, 'op');
  if (op === 'add') {
    const path = textOf(operation, 'path', 'add operation failed to decode path');
    const place = placeOf(document, path, `add operation does not apply: doc is missing path: "${path}"`);
    addAt(place, copyJson(valueOf(operation)), `error in add for path: '${path}'`);
  } else if (op === 'remove') {
    const path = textOf(operation, 'path', 'remove operation failed to decode path');
    const place = placeOf(document, path, `remove operation does not apply: doc is missing path: "${path}"`);
    removeAt(place, `error in remove for path: '${path}'`);
  } else if (op === 'replace') {
    const path = textOf(operation, 'path', 'replace operation failed to decode path: operation missing path field');
    const place = placeOf(document, path, `replace operation does not apply: doc is missing path: ${path}`);
    if (!hasValue(place)) throw missing(`replace operation does not apply: doc is missing key: ${path}`);
    replaceAt(place, copyJson(valueOf(operation)), `error in replace for path: '${path}'`);
  } else if (op === 'move') move(document, operation);
  else if (op === 'test') testValue(document, operation);
  else throw unfitting(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
}

function move(document: Tree, operation: Tree): void {
  const from = textOf(operation, 'from', 'move operation failed to decode from: operation, missing from field');
  const source = placeOf(document, from, `move operation does not apply: doc is missing from path: ${from}`);
  const where = `error in move for path: '${source.key}'`;
  const value = readPlace(source, where);
  removeAt(source, where);
  const path = textOf(operation, 'path', 'move operation failed to decode path: operation missing path field');
  const target = placeOf(document, path, `move operation does not apply: doc is missing destination path: ${path}`);
  addAt(target, value, `error in move for path: '${path}'`);
}

function testValue(document: Tree, operation: Tree): void {
  const path = textOf(operation, 'path', 'test operation failed to decode path: operation missing path field');
  const place = placeOf(document, path, `test operation does not apply: is missing path: ${path}`);
  const value = readPlace(place, `error in test for path: '${path}'`) ?? null;
  if (!equalJson(value, valueOf(operation))) throw unfitting(`testing value ${path} failed: test failed`);
}

/** Returns the bytes that it added. */
function copy(document: Tree, operation: Tree, copiedBefore: number): number {
  const from = textOf(operation, 'from', 'copy operation failed to decode from: operation, missing from field');
  const source = placeOf(document, from, `copy operation does not apply: doc is missing from path: ${from}`);
  const where = `error in copy for from: '${from}'`;
  if (!hasValue(source) && !Array.isArray(source.holder)) throw missing(where);
  const value = readPlace(source, where) ?? null;
  const path = textOf(operation, 'path', 'copy operation failed to decode path');
  const target = placeOf(document, path, `copy operation does not apply: doc is missing destination path: ${path}`);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (copiedBefore + bytes > copiedBytesMost) {
    const sizes = `${String(copiedBefore + bytes)}, exceeding the limit ${String(copiedBytesMost)}`;
    throw unfitting(`Unable to complete the copy, the accumulated size increase of copy is ${sizes}`);
  }
  addAt(target, copyJson(value), 'error while adding value during copy');
  return bytes;
}

function placeOf(document: Tree, pointer: string, otherwise: string): Place {
  const place = findPlace(document, pointer);
  if (place === undefined) throw missing(otherwise);
  return place;
}

function textOf(operation: Tree, field: 'path' | 'from', otherwise: string): string {
  const text = own(operation, field);
  if (typeof text !== 'string') throw missing(otherwise);
  return text;
}

/** An operation without a value means null, as upstream reads it. */
function valueOf(operation: Tree): unknown {
  return own(operation, 'value') ?? null;
}

function missing(what: string): ApiError {
  return unfitting(`${what}: missing value`);
}
