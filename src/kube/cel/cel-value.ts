import { isObject } from '#base/json.ts';

/** JSON as CEL sees it: whole numbers are int (bigint), others double; the value itself stays as it is. */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (!isObject(value)) return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, celValue(inner)]));
}
