/**
 * The smallest text that is greater, by UTF-8 bytes, than all that start with `prefix`; undefined when there is none, as
 * for the empty prefix.
 */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (one) => one.codePointAt(0) ?? 0);
  while (points.at(-1) === lastPoint) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last + 1 === firstSurrogate ? afterSurrogates : last + 1;
  return String.fromCodePoint(...points, next);
}

const lastPoint = 0x10ffff;
const firstSurrogate = 0xd800;
const afterSurrogates = 0xe000;
