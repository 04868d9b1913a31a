import { parseArgs } from 'node:util';

import { StatusError } from '#base/errors.ts';

import type { Option, Options, VerbRow } from './verb.ts';

/** Options that every verb has. */
export const globalOptions: Options = {
  root: {
    type: 'string',
    value: 'DIR',
    summary: 'keep data, sockets and configuration below DIR instead of / (or set SLIPWAY_ROOT)',
  },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
};

export interface Values {
  readonly flag: (name: string) => boolean;
  readonly text: (name: string) => string | undefined;
  readonly texts: (name: string) => readonly string[];
  readonly operands: readonly string[];
}

export interface SplitLine {
  readonly row: VerbRow | undefined;
  /** All arguments but the verb's own words. */
  readonly rest: readonly string[];
  /** The first word, when it names no verb. */
  readonly unknown: string | undefined;
}

/** Finds the verb: the first one or two words that are neither options nor the value of `--root`. */
export function findVerb(args: readonly string[], rows: readonly VerbRow[]): SplitLine {
  const words: number[] = [];
  for (let index = 0; index < args.length && words.length < 2; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') break;
    if (arg === '--root') index += 1;
    else if (!arg.startsWith('-')) words.push(index);
    else if (words.length > 0) break;
  }
  for (const count of [2, 1]) {
    const used = words.slice(0, count);
    const name = used.map((index) => args[index]).join(' ');
    const row = used.length === count ? rows.find((one) => one.name === name) : undefined;
    if (row !== undefined) return { row, rest: args.filter((_, index) => !used.includes(index)), unknown: undefined };
  }
  const unknown = words[0] === undefined ? undefined : words.map((index) => args[index]).join(' ');
  return { row: undefined, rest: args, unknown };
}

/** Splits a line at its verb, whose words come first after the options before it. */
export function splitAtVerb(args: readonly string[], name: string): readonly [readonly string[], readonly string[]] {
  const words = name.split(' ');
  const isVerb = (index: number): boolean => words.every((word, offset) => args[index + offset] === word);
  const at = args.findIndex((_, index) => isVerb(index) && args[index - 1] !== '--root');
  return [args.slice(0, at), args.slice(at + words.length)];
}

/** Throws InvalidArgument that names the option or operand that is wrong. */
export function readArguments(args: readonly string[], options: Options, operandsMost: number, name: string): Values {
  const parsed = parse(args, options, name);
  const { positionals } = parsed;
  if (positionals.length > operandsMost) {
    const extra = JSON.stringify(positionals[operandsMost]);
    throw new StatusError(
      'InvalidArgument',
      `Cannot run slipway ${name}: unexpected ${extra}; see slipway ${name} --help`,
    );
  }
  const texts = (key: string): readonly string[] =>
    [parsed.values[key] ?? []].flat().filter((one) => typeof one === 'string');
  return {
    flag: (key) => parsed.values[key] === true,
    text: (key) => texts(key).at(-1),
    texts,
    operands: positionals,
  };
}

/** Lines of help for a table of options. */
export function describeOptions(options: Options): readonly (readonly [string, string])[] {
  return Object.entries(options).map(([name, option]) => {
    const short = option.short === undefined ? '' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    return [`${short}--${name}${value}`, option.summary];
  });
}

interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
}

function parse(args: readonly string[], options: Options, name: string): Parsed {
  const bare = ({ type, short, multiple = false }: Option): object => ({ type, multiple, ...(short && { short }) });
  const config = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, bare(option)]));
  try {
    return parseArgs({
      args: [...args],
      options: config as Record<string, { type: 'string' }>,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const what = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new StatusError('InvalidArgument', `Cannot run slipway ${name}: ${what ?? ''}; see slipway ${name} --help`, {
      cause: error,
    });
  }
}
