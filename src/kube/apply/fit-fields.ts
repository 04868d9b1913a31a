import { type FieldSet, isEmptySet } from './field-set.ts';
import type { Managed, ManagedFields } from './managed-fields.ts';
import type { Kind } from './ownership.ts';
import type { PathElement } from './path-element.ts';
import { shapeOf, type Typing, typingOfElement } from './typing.ts';

/**
 * Owners as the schema of now divides fields: who owned parts of a map or list that has become atomic owns all of it.
 * Schemas of custom resources change while objects are there; those of built-in kinds do not.
 */
export function fitToSchema(managed: ManagedFields, { schema, version }: Kind): ManagedFields {
  if (schema.name !== '') return managed;
  const fitted = new Map<string, Managed>();
  for (const [identity, one] of managed)
    fitted.set(identity, one.apiVersion === version ? { ...one, set: fit(one.set, schema) } : one);
  return fitted;
}

function fit(set: FieldSet, typing: Typing): FieldSet {
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const type = typingOfElement(typing, element);
    if (type !== undefined && type.type !== 'deduced' && shapeOf(type, undefined) === 'leaf') members.add(element);
    else {
      const below = type === undefined ? child : fit(child, type);
      if (!isEmptySet(below)) children.set(element, below);
    }
  }
  return { members, children };
}
