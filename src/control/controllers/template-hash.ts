import { isObject } from '#base/json.ts';

/** Those of apimachinery's names: none of them makes words. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name of what a value says, the same whatever the order of its fields; another one after each collision. */
export function templateHash(value: unknown, collisions = 0): string {
  let hash = 0x811c9dc5;
  // FNV-1a.
  for (const byte of Buffer.from(`${JSON.stringify(sorted(value))}${collisions === 0 ? '' : String(collisions)}`))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return Array.from(String(hash), (digit) => letters[digit.charCodeAt(0) % letters.length]).join('');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const names = Object.keys(value).toSorted();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}
