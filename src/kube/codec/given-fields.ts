import { isObject } from '#base/json.ts';

/**
 * Of an object that was read by its schema only the fields that the text it was read from has: what Go's types always have
 * is not there. Who applies owns what he says, and nothing else.
 */
export function givenFields(read: Record<string, unknown>, plain: Record<string, unknown>): Record<string, unknown> {
  return given(read, plain) as Record<string, unknown>;
}

function given(read: unknown, plain: unknown): unknown {
  if (Array.isArray(read))
    return read.map((item, index) => given(item, Array.isArray(plain) ? plain[index] : undefined));
  if (!isObject(read) || !isObject(plain)) return read;
  const kept = Object.entries(read).filter(([name]) => Object.hasOwn(plain, name));
  return Object.fromEntries(kept.map(([name, value]) => [name, given(value, plain[name])]));
}
