import { invalid } from './invalid.ts';

export type FlagKind = 'text' | 'boolean' | 'list';

/** The values of an instruction's flags, checked against what the instruction knows. */
export interface Flags {
  text(name: string): string;
  /** undefined: not given. */
  boolean(name: string): boolean | undefined;
  list(name: string): readonly string[];
}

/** Checks `--name=value` words; throws InvalidArgument in BuildKit's words. */
export function parseFlags(words: readonly string[], known: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, string[]>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals === -1 ? undefined : equals);
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) throw invalid(`unknown flag: --${name}`);
    if (values.has(name) && kind !== 'list') throw invalid(`Duplicate flag specified: ${name}`);
    const value = equals === -1 ? undefined : word.slice(equals + 1);
    values.set(name, [...(values.get(name) ?? []), kind === 'boolean' ? booleanText(name, value) : given(name, value)]);
  }
  return {
    text: (name) => values.get(name)?.[0] ?? '',
    boolean: (name) => (values.has(name) ? values.get(name)?.[0] === 'true' : undefined),
    list: (name) => values.get(name) ?? [],
  };
}

function given(name: string, value: string | undefined): string {
  if (value === undefined) throw invalid(`Missing a value on flag: ${name}`);
  return value;
}

function booleanText(name: string, value: string | undefined): string {
  if (value === '') throw invalid(`Missing a value on flag: ${name}`);
  const text = (value ?? 'true').toLowerCase();
  if (text !== 'true' && text !== 'false')
    throw invalid(`Expecting boolean value for flag ${name}, not: ${value ?? ''}`);
  return text;
}
