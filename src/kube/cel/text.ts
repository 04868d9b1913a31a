import { Optional, type Environment } from '@marcbachmann/cel-js';

import { StatusError } from '#base/errors.ts';

import { hasFormat } from '../custom/formats.ts';
import { goPattern } from '../custom/go-pattern.ts';
import { matchesFunction } from './parse-expression.ts';

/** The string extension's functions that the engine does not have, Kubernetes' `find`, `findAll` and named formats. */
export function registerText(environment: Environment): void {
  environment.registerFunction(`string.${matchesFunction}(string): bool`, (text: string, pattern: string) =>
    goPattern(pattern).test(text),
  );
  environment.registerFunction('string.charAt(int): string', (text: string, index: bigint) => {
    if (index < 0n || index > BigInt(text.length)) throw failed(`index out of range: ${String(index)}`);
    return text.charAt(Number(index));
  });
  environment.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, () => to),
  );
  environment.registerFunction('string.replace(string, string, int): string', replaceSome);
  environment.registerFunction('string.reverse(): string', (text: string) => Array.from(text).toReversed().join(''));
  environment.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => goPattern(pattern).find(text)?.text ?? '',
  );
  environment.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    findAll(text, pattern, -1n),
  );
  environment.registerFunction('string.findAll(string, int): list<string>', findAll);
  environment.registerFunction('string.format(list): string', formatText);
  registerFormats(environment);
}

function replaceSome(text: string, from: string, to: string, most: bigint): string {
  let left = most < 0n ? Infinity : Number(most);
  return text.replaceAll(from, (found) => {
    left -= 1;
    return left >= 0 ? to : found;
  });
}

function findAll(text: string, pattern: string, most: bigint): readonly string[] {
  return goPattern(pattern)
    .findAll(text, most < 0n ? Infinity : Number(most))
    .map((match) => match.text);
}

/** `"%s is %d".format(["a", 1])`. */
function formatText(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replaceAll(
    /%(?:%|(?:\.(\d+))?([a-zA-Z]))/g,
    (whole, digits: string | undefined, verb: string | undefined) => {
      if (verb === undefined) return '%';
      if (next >= values.length) throw failed(`index ${String(next)} out of range`);
      const value = values[next];
      next += 1;
      return formatValue(value, verb, digits === undefined ? 6 : Number(digits), whole);
    },
  );
}

function formatValue(value: unknown, verb: string, digits: number, whole: string): string {
  const integer = typeof value === 'bigint' ? value : undefined;
  const number = typeof value === 'number' ? value : integer === undefined ? undefined : Number(integer);
  if (verb === 's') return plainText(value);
  if (verb === 'd' && number !== undefined) return integer === undefined ? String(number) : String(integer);
  if (verb === 'f' && number !== undefined) return number.toFixed(digits);
  if (verb === 'e' && number !== undefined) return number.toExponential(digits);
  const bases: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };
  const base = bases[verb];
  if (base === undefined || integer === undefined) throw failed(`could not parse formatting clause: ${whole}`);
  return verb === 'X' ? integer.toString(base).toUpperCase() : integer.toString(base);
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(plainText).join(', ')}]`;
  if (value instanceof Date) return value.toISOString();
  if (value === null) return 'null';
  if (typeof value !== 'object') return `${value as bigint | number | boolean}`;
  return `{${Object.entries(value)
    .map(([name, part]) => `${name}: ${plainText(part)}`)
    .join(', ')}}`;
}

class NamedFormat {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

class NamedFormats {
  readonly namespace = 'format';
}

const namedFormats: Readonly<Record<string, string>> = {
  dns1123Label: 'k8s-short-name',
  dns1123Subdomain: 'k8s-long-name',
  uri: 'uri',
  uuid: 'uuid',
  byte: 'byte',
  date: 'date',
  datetime: 'date-time',
};

/** `!format.dns1123Label().validate(self.name).hasValue()`. */
function registerFormats(environment: Environment): void {
  environment.registerType('kubernetes.Formats', NamedFormats);
  environment.registerType('kubernetes.NamedFormat', NamedFormat);
  environment.registerConstant('format', 'kubernetes.Formats', new NamedFormats());
  for (const [name, format] of Object.entries(namedFormats))
    environment.registerFunction(`kubernetes.Formats.${name}(): kubernetes.NamedFormat`, () => new NamedFormat(format));
  environment.registerFunction(
    'kubernetes.NamedFormat.validate(string): optional',
    ({ name }: NamedFormat, text: string) =>
      hasFormat(text, name) ? Optional.none() : Optional.of([`must be a valid ${name}`]),
  );
}

function failed(message: string): StatusError {
  return new StatusError('InvalidArgument', message);
}
