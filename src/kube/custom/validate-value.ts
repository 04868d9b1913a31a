import { isDeepStrictEqual } from 'node:util';

import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import type { FieldError } from '../field-error.ts';
import { notSupported, required } from '../validation/faults.ts';
import { hasFormat } from './formats.ts';
import { goPattern } from './go-pattern.ts';
import { isEmbedded, isIntOrString, valuesSchema, type JsonSchema } from './json-schema.ts';
import { keyOfItem, stableText } from './list-items.ts';

/**
 * What is wrong with a value by its structural schema, in upstream's words (kube-openapi, validation/errors/schema.go).
 * Parts that are as they were in `old` are not looked at, so that rules may become stricter. Looking ends at `faultsMost`.
 */
export function validateValue(value: unknown, schema: JsonSchema, old: unknown): readonly FieldError[] {
  const faults: FieldError[] = [];
  for (const fault of valueFaults({ value, schema, old, path: '' })) {
    faults.push(fault);
    if (faults.length >= faultsMost) break;
  }
  return faults;
}

/** Nobody reads more, and a large object could have millions. */
const faultsMost = 500;

/** A value where it stands. `path`: such as `spec.list[0]`, empty for the whole object. */
interface Place {
  readonly value: unknown;
  readonly schema: JsonSchema;
  readonly old: unknown;
  readonly path: string;
}

type Faults = Iterable<FieldError>;

function* valueFaults(place: Place): Faults {
  const { value, schema, old } = place;
  if (old !== undefined && isDeepStrictEqual(value, old)) return;
  yield* typeFaults(place);
  if (value === null || value === undefined) return;
  yield* combinationFaults(place);
  if (typeof value === 'string') yield* textFaults(value, place);
  if (typeof value === 'number') yield* numberFaults(value, place);
  if (Array.isArray(value)) yield* listFaults(value, place);
  yield* enumFaults(place);
  if (isObject(value)) yield* objectFaults(value, place, schema);
}

function* typeFaults(place: Place): Faults {
  const { value, schema, path } = place;
  const types = isIntOrString(schema) ? ['integer', 'string'] : schema.type === undefined ? [] : [schema.type];
  if (value === null) {
    if (schema.nullable !== true && types.length > 0) yield typeFault(path, types.join(','), 'null');
    return;
  }
  const actual = jsonType(value);
  const fits = types.length === 0 || types.includes(actual) || (actual === 'integer' && types.includes('number'));
  if (!fits) yield typeFault(path, types.join(','), actual);
  else if (typeof value === 'string' && schema.format !== undefined && !hasFormat(value, schema.format))
    yield { ...typeFault(path, schema.format, value), value };
}

function typeFault(path: string, type: string, actual: string): FieldError {
  const detail = `${path} in body must be of type ${type}: ${JSON.stringify(actual)}`;
  return { type: 'FieldValueTypeInvalid', path: rooted(path), value: actual, detail };
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function* combinationFaults(place: Place): Faults {
  const { schema, path, value } = place;
  const tryAll = (schemas: readonly JsonSchema[]): readonly (readonly FieldError[])[] =>
    schemas.map((part) => [...valueFaults({ value, schema: part, old: undefined, path })]);
  const quoted = JSON.stringify(path);
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) {
    const results = tryAll(schema.anyOf);
    if (results.every((errors) => errors.length > 0)) {
      yield wholeFault(`${quoted} must validate at least one schema (anyOf)`);
      yield* fewest(results);
    }
  }
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
    const results = tryAll(schema.oneOf);
    const valid = results.filter((errors) => errors.length === 0).length;
    const found = valid === 0 ? 'Found none valid' : `Found ${String(valid)} valid alternatives`;
    if (valid !== 1) yield wholeFault(`${quoted} must validate one and only one schema (oneOf). ${found}`);
    if (valid === 0) yield* fewest(results);
  }
  if (schema.allOf !== undefined) {
    const results = tryAll(schema.allOf);
    yield* results.flat();
    const isNone = results.every((errors) => errors.length > 0);
    if (results.some((errors) => errors.length > 0))
      yield wholeFault(`${quoted} must validate all the schemas (allOf)${isNone ? '. None validated' : ''}`);
  }
  if (schema.not !== undefined && tryAll([schema.not])[0]?.length === 0)
    yield wholeFault(`${quoted} must not validate the schema (not)`);
}

/** Upstream says these of no field, and prints that so. */
function wholeFault(detail: string): FieldError {
  return { type: 'FieldValueInvalid', path: '<nil>', value: '', detail };
}

/** Errors of the alternative that is nearest. */
function fewest(results: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return results.toSorted((one, other) => one.length - other.length)[0] ?? [];
}

function* textFaults(text: string, { schema, path }: Place): Faults {
  const length = Array.from(text).length;
  if (schema.maxLength !== undefined && length > schema.maxLength)
    yield {
      type: 'FieldValueTooLong',
      path: rooted(path),
      detail: `may not be more than ${String(schema.maxLength)} bytes`,
    };
  if (schema.minLength !== undefined && length < schema.minLength)
    yield bodyFault(path, text, `should be at least ${String(schema.minLength)} chars long`);
  if (schema.pattern !== undefined && !matches(text, schema.pattern))
    yield bodyFault(path, text, `should match '${schema.pattern}'`);
}

function* numberFaults(number: number, { schema, path }: Place): Faults {
  const { minimum, maximum, multipleOf } = schema;
  if (multipleOf !== undefined && !Number.isInteger(number / multipleOf))
    yield bodyFault(path, number, `should be a multiple of ${String(multipleOf)}`);
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? number >= maximum : number > maximum))
    yield bodyFault(
      path,
      number,
      `should be less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${String(maximum)}`,
    );
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? number <= minimum : number < minimum))
    yield bodyFault(
      path,
      number,
      `should be greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${String(minimum)}`,
    );
  const [least, most] = schema.format === 'int32' ? [-2_147_483_648, 2_147_483_647] : [-Infinity, Infinity];
  if (schema.type === 'integer' && (number < least || number > most))
    yield bodyFault(path, number, `should be a valid ${schema.format ?? 'integer'}`);
}

function* listFaults(list: readonly unknown[], { schema, path, old }: Place): Faults {
  const before = oldItems(schema, old);
  for (const [index, item] of list.entries())
    if (schema.items !== undefined)
      yield* valueFaults({ value: item, schema: schema.items, old: before(item), path: `${path}[${String(index)}]` });
  const { minItems, maxItems } = schema;
  if (minItems !== undefined && list.length < minItems)
    yield bodyFault(path, list.length, `should have at least ${String(minItems)} items`);
  if (maxItems !== undefined && list.length > maxItems) yield tooMany(path, list.length, maxItems);
  if (schema.uniqueItems === true && new Set(list.map(stableText)).size < list.length)
    yield bodyFault(path, '', "shouldn't contain duplicates");
  yield* duplicateFaults(list, schema, path);
}

/** Finds what an item of a list was: only lists that are sets or maps tell. */
function oldItems(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  const keyOf = keyOfItem(schema);
  if (!Array.isArray(old) || keyOf === undefined) return () => undefined;
  const known = new Map(old.map((item: unknown) => [keyOf(item), item]));
  return (item) => known.get(keyOf(item));
}

function* duplicateFaults(list: readonly unknown[], schema: JsonSchema, path: string): Faults {
  const keyOf = keyOfItem(schema);
  if (keyOf === undefined) return;
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const key = keyOf(item);
    if (seen.has(key))
      yield {
        type: 'FieldValueDuplicate',
        path: `${path}[${String(index)}]`,
        value: JSON.parse(key) as unknown,
        detail: '',
      };
    seen.add(key);
  }
}

function* enumFaults({ value, schema, path }: Place): Faults {
  const { enum: allowed } = schema;
  if (allowed === undefined || allowed.some((one) => isDeepStrictEqual(one, value))) return;
  yield notSupported(
    rooted(path),
    value,
    allowed.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
  );
}

function* objectFaults(object: Record<string, unknown>, { path, old }: Place, schema: JsonSchema): Faults {
  const count = Object.keys(object).length;
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && count < minProperties) {
    yield bodyFault(path, minProperties, `should have at least ${String(minProperties)} properties`);
    return;
  }
  if (maxProperties !== undefined && count > maxProperties) {
    yield tooMany(path, count, maxProperties);
    return;
  }
  const before = isObject(old) ? old : {};
  const values = valuesSchema(schema);
  const child = (name: string): string => (path === '' ? name : `${path}.${name}`);
  for (const [name, value] of Object.entries(object)) {
    const own = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : values;
    if (own !== undefined && !(path === '' && name === 'metadata'))
      yield* valueFaults({
        value,
        schema: own,
        old: Object.hasOwn(before, name) ? before[name] : undefined,
        path: child(name),
      });
  }
  for (const name of schema.required ?? []) if (!Object.hasOwn(object, name)) yield required(child(name));
  if (isEmbedded(schema))
    for (const name of ['apiVersion', 'kind'])
      if (object[name] === undefined || object[name] === '') yield required(child(name), 'must not be empty');
}

function bodyFault(path: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', path: rooted(path), value, detail: `${path} in body ${detail}` };
}

function tooMany(path: string, count: number, most: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    path: rooted(path),
    value: count,
    detail: `must have at most ${String(most)} items`,
  };
}

function rooted(path: string): string {
  return path === '' ? '<nil>' : path;
}

/** A text that takes more steps than are taken on does not match: to let it pass would be worse. */
function matches(text: string, pattern: string): boolean {
  try {
    return goPattern(pattern).test(text);
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}
