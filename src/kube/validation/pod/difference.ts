import { isEqualJson, isObject } from '#base/json.ts';

const linesMost = 20;

/**
 * Where two JSON values differ, one line for what was and one for what shall be: `-  containers[0].image: "a"`. Upstream
 * prints a difference of Go's structures here, which no client reads.
 */
export function differenceText(old: unknown, value: unknown): string {
  const lines = [...differences(old, value, '')];
  const shown = lines.slice(0, linesMost);
  return [...shown, ...(lines.length > linesMost ? ['...'] : [])].join('\n');
}

function* differences(old: unknown, value: unknown, path: string): Generator<string> {
  if (isEqualJson(old, value)) return;
  if (isObject(old) && isObject(value)) {
    for (const field of new Set([...Object.keys(old), ...Object.keys(value)]))
      yield* differences(old[field], value[field], path === '' ? field : `${path}.${field}`);
  } else if (Array.isArray(old) && Array.isArray(value) && old.length === value.length) {
    for (const [index, item] of old.entries()) yield* differences(item, value[index], `${path}[${String(index)}]`);
  } else {
    if (old !== undefined) yield `-  ${path}: ${JSON.stringify(old)}`;
    if (value !== undefined) yield `+  ${path}: ${JSON.stringify(value)}`;
  }
}
