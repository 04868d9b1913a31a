import { isObject } from '#base/json.ts';

import { badRequest } from '../status.ts';
import { checkDepth, copyJson, own, put, type Tree } from './json-tree.ts';

/**
 * The document after a JSON merge patch (RFC 7386): `null` takes a field away, lists are replaced whole. The argument
 * stays as it is. Throws BadRequest for a patch that is no object.
 */
export function applyMergePatch(document: Tree, patch: unknown): Tree {
  if (!isObject(patch)) {
    const type = Array.isArray(patch) ? 'array' : patch === null ? 'null' : typeof patch;
    const into = 'Go value of type map[string]interface {}';
    throw badRequest(`error decoding patch: json: cannot unmarshal ${type} into ${into}`);
  }
  checkDepth(patch);
  return merge(document, patch);
}

function merge(target: unknown, patch: Tree): Tree {
  const result: Tree = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else put(result, key, isObject(value) ? merge(own(result, key), value) : copyJson(value));
  }
  return result;
}
