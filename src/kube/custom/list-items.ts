import { isObject } from '#base/json.ts';

import type { JsonSchema } from './json-schema.ts';

/** How items of a list are told apart: in sets by themselves, in maps by their keys; undefined: by their place alone. */
export function keyOfItem(schema: JsonSchema): ((item: unknown) => string) | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return stableText;
    case 'map':
      return (item) =>
        stableText(
          isObject(item)
            ? Object.fromEntries(keys.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]]])))
            : item,
        );
    default:
      return undefined;
  }
}

/** The same text for the same value, whatever the order of its fields. */
export function stableText(value: unknown): string {
  if (!isObject(value)) return JSON.stringify(value);
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))));
}
