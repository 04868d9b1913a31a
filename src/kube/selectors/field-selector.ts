import { StatusError } from '#base/errors.ts';

import type { KindDef } from '../kind.ts';
import type { Resource } from '../resource.ts';

/** One condition on a field, such as `status.phase!=Running`. */
export interface FieldRequirement {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

/** Reads `a=b,c!=d` (apimachinery, fields/selector.go); `\,`, `\=` and `\\` stand for themselves in values. Throws InvalidArgument. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^((?:(?!!=|=)[^])*)(==|!=|=)([^]*)$/.exec(term);
      if (match === null) throw cannotUnderstand(text, term);
      const [, field = '', operator = '', value = ''] = match;
      return { field, isEqual: operator !== '!=', value: unescaped(value) };
    });
}

/** Throws InvalidArgument when a kind cannot be narrowed by one of the fields. */
export function checkFieldSelector(requirements: readonly FieldRequirement[], kind: KindDef): void {
  for (const { field } of requirements) {
    if (fieldReader(field, kind) !== undefined) continue;
    const hasOwn = Object.keys(kind.selectableFields).length > 0;
    const words = `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
    throw new StatusError('InvalidArgument', hasOwn ? `field label not supported: ${field}` : words);
  }
}

/**
 * Tells of objects whether all conditions hold. Fields that the kind does not know are empty; check first. Each watch asks
 * it of each change: a thousand nodes that watch their pods ask two thousand times.
 */
export function fieldMatcher(requirements: readonly FieldRequirement[], kind: KindDef): (object: Resource) => boolean {
  const conditions = requirements.map(({ field, isEqual, value }) => {
    const read = fieldReader(field, kind) ?? (() => '');
    return (object: Resource): boolean => (read(object) === value) === isEqual;
  });
  const [first] = conditions;
  if (first !== undefined && conditions.length === 1) return first;
  return (object) => conditions.every((holds) => holds(object));
}

/** The value that one field must have, when a selector asks for exactly one; such as a name. */
export function exactField(requirements: readonly FieldRequirement[], field: string): string | undefined {
  return requirements.find((one) => one.field === field && one.isEqual)?.value;
}

function fieldReader(field: string, kind: KindDef): ((object: Resource) => string) | undefined {
  if (field === 'metadata.name') return ({ metadata }) => metadata.name ?? '';
  if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
  return Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
}

function splitTerms(text: string): readonly string[] {
  return text.match(/(?:\\[^]|[^\\,]|\\$)+|,/g)?.filter((term) => term !== ',') ?? [];
}

function unescaped(value: string): string {
  return value.replace(/\\([^])|\\$|[,=]/g, (found, escaped: string | undefined) => {
    if (escaped !== undefined && '\\,='.includes(escaped)) return escaped;
    if (found === ',' || found === '=')
      throw new StatusError('InvalidArgument', `invalid field selector: unescaped character in value: ${found}`);
    const shown = escaped === undefined ? found : `\\${escaped}`;
    throw new StatusError('InvalidArgument', `invalid field selector: invalid escape sequence: ${shown}`);
  });
}

function cannotUnderstand(selector: string, term: string): StatusError {
  return new StatusError('InvalidArgument', `invalid selector: '${selector}'; can't understand '${term}'`);
}
