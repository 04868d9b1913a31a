export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Narrows a parsed JSON value to an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two parsed JSON values are the same; an absent field and one that is undefined are. */
export function isEqualJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => isEqualJson(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  for (const field of Object.keys(one)) if (!isEqualJson(one[field], ownField(other, field))) return false;
  for (const field of Object.keys(other))
    if (other[field] !== undefined && ownField(one, field) === undefined) return false;
  return true;
}

/** `__proto__` is a name like others. */
function ownField(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
