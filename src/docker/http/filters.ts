import { StatusError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

import type { Query } from './query.ts';

/** Filters of a list, an event stream or a prune: a thing matches when every named filter has a value that matches. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** These, and one more value. */
  with(name: string, value: string): Filters {
    return new Filters(new Map([...this.#values, [name, [...this.values(name), value]]]));
  }

  values(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** True when the filter is not set or any of its values passes. */
  any(name: string, passes: (value: string) => boolean): boolean {
    const values = this.#values.get(name);
    return values === undefined || values.some(passes);
  }

  equals(name: string, value: string): boolean {
    return this.any(name, (wanted) => wanted === value);
  }

  /** `key` or `key=value`; all of them must be there, as Docker has it for labels. */
  labels(name: string, labels: Readonly<Record<string, string>>): boolean {
    return this.values(name).every((wanted) => matchesLabel(wanted, labels));
  }

  /** `label` and `label!` of the prune requests together. */
  prunable(labels: Readonly<Record<string, string>>): boolean {
    return this.labels('label', labels) && !this.values('label!').some((wanted) => matchesLabel(wanted, labels));
  }

  /** A boolean filter; undefined when it is not set. Throws InvalidArgument for any other word. */
  flag(name: string): boolean | undefined {
    const value = this.values(name)[0];
    if (value === undefined) return undefined;
    if (['1', 't', 'true', 'True', 'TRUE'].includes(value)) return true;
    if (['0', 'f', 'false', 'False', 'FALSE'].includes(value)) return false;
    throw new StatusError('InvalidArgument', `invalid filter '${name}=[${value}]'`);
  }
}

/**
 * Reads the `filters` parameter, `{"name":{"value":true}}` or (before API 1.22, still sent) `{"name":["value"]}`.
 * Throws InvalidArgument for a filter that is not among `known`, in Docker's words.
 */
export function parseFilters(query: Query, known: readonly string[]): Filters {
  const value = query.json('filters');
  if (value === undefined || value === null) return new Filters(new Map());
  if (!isObject(value)) throw new StatusError('InvalidArgument', 'invalid filter');
  const filters = new Map<string, readonly string[]>();
  for (const [name, wanted] of Object.entries(value)) {
    if (!known.includes(name)) throw new StatusError('InvalidArgument', `invalid filter '${name}'`);
    const values = wantedValues(name, wanted);
    if (values.length > 0) filters.set(name, values);
  }
  return new Filters(filters);
}

function wantedValues(name: string, wanted: unknown): readonly string[] {
  if (Array.isArray(wanted) && wanted.every((item): item is string => typeof item === 'string')) return wanted;
  if (isObject(wanted)) return Object.keys(wanted).filter((key) => wanted[key] !== false);
  throw new StatusError('InvalidArgument', `invalid filter '${name}'`);
}

function matchesLabel(wanted: string, labels: Readonly<Record<string, string>>): boolean {
  const split = wanted.indexOf('=');
  const key = split === -1 ? wanted : wanted.slice(0, split);
  if (!Object.hasOwn(labels, key)) return false;
  return split === -1 || labels[key] === wanted.slice(split + 1);
}
