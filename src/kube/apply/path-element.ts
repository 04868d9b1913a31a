import { isObject } from '#base/json.ts';

/**
 * One step of a path to a field, as FieldsV1 writes it: `f:name` a field, `k:{"name":"a"}` the item of a list by its keys
 * in order of the alphabet, `v:"x"` an item of a set, `i:0` an index.
 */
export type PathElement = string;

/**
 * Most steps that are no fields: one key or a value of plain characters. There is no other spelling of it, and the texts
 * are in the order of the values.
 */
const plainStep = /^(?:k:\{"[A-Za-z]+":"[\w./-]*"\}|v:"[\w./-]*")$/;
const plainText = /^[\w./-]*$/;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function keyElement(keys: readonly (readonly [string, unknown])[]): PathElement {
  const [first] = keys;
  if (keys.length === 1 && first !== undefined) return `k:{${goJson(first[0])}:${goJson(first[1])}}`;
  const sorted = keys.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `k:{${sorted.map(([name, value]) => `${goJson(name)}:${goJson(value)}`).join(',')}}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${goJson(value)}`;
}

/**
 * Reads a step from foreign FieldsV1 and gives its one right spelling; undefined for kinds of a future version. Throws
 * a SyntaxError for what is none.
 */
export function parseElement(text: string): PathElement | undefined {
  if (text.length < 2 || text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`);
  if (text.startsWith('f') || plainStep.test(text)) return text;
  const rest = text.slice(2);
  if (text.startsWith('v')) return valueElement(JSON.parse(rest));
  if (text.startsWith('i')) {
    if (!/^-?\d{1,15}$/.test(rest))
      throw new SyntaxError(`strconv.Atoi: parsing ${JSON.stringify(rest)}: invalid syntax`);
    return `i:${String(Number(rest))}`;
  }
  if (!text.startsWith('k')) return undefined;
  const keys: unknown = JSON.parse(rest);
  if (!isObject(keys)) throw new SyntaxError(`key is no object: ${text}`);
  return keyElement(Object.entries(keys));
}

/** Fields come first, then keys, values, indexes; inside of a kind by value. */
export function compareElements(left: PathElement, right: PathElement): number {
  const kinds = 'fkvi';
  const kind = left[0] ?? '';
  if (kind !== right[0]) return kinds.indexOf(kind) - kinds.indexOf(right[0] ?? '');
  if (kind === 'f') return left < right ? -1 : left > right ? 1 : 0;
  const [one, two] = [left.slice(2), right.slice(2)];
  if (kind === 'i') return Number(one) - Number(two);
  if (plainStep.test(left) && plainStep.test(right)) return one < two ? -1 : one > two ? 1 : 0;
  if (kind === 'v') return compareValues(JSON.parse(one), JSON.parse(two));
  return compareKeys(JSON.parse(one) as object, JSON.parse(two) as object);
}

/** Steps in order. */
export function sortElements(elements: Iterable<PathElement>): PathElement[] {
  return [...elements].sort(compareElements);
}

/** As messages have it: `.spec`, `[name="a"]`, `[="x"]`, `[0]`. */
export function printElement(element: PathElement): string {
  const rest = element.slice(2);
  if (element.startsWith('f')) return `.${rest}`;
  if (element.startsWith('i')) return `[${rest}]`;
  if (element.startsWith('v')) return `[=${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as object);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

function compareKeys(left: object, right: object): number {
  const [ours, theirs] = [Object.entries(left), Object.entries(right)];
  for (const [index, [name, value]] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const order = compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return ours.length - theirs.length;
}

/** Numbers before texts before truths before lists, maps and null, as upstream orders values. */
function compareValues(left: unknown, right: unknown): number {
  const order = rankOf(left) - rankOf(right);
  if (order !== 0) return order;
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [one, two] = typeof left === 'string' ? [left, String(right)] : [JSON.stringify(left), JSON.stringify(right)];
  return one < two ? -1 : one > two ? 1 : 0;
}

function rankOf(value: unknown): number {
  if (value === null) return 5;
  if (Array.isArray(value)) return 3;
  return { number: 0, string: 1, boolean: 2 }[typeof value as string] ?? 4;
}

/** JSON as Go writes it: these characters are escaped, so that a page can show it. */
function goJson(value: unknown): string {
  if (typeof value === 'string' && plainText.test(value)) return `"${value}"`;
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
