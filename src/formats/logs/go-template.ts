import { StatusError } from '#base/errors.ts';

export type TemplateMap = Readonly<Record<string, string>>;
export type TemplateValue = string | number | null | readonly string[] | TemplateMap | TemplateMethod;
export type TemplateMethod = (...args: readonly TemplateValue[]) => TemplateValue;

/** What `{{.Name}}` can name. */
export type TemplateFields = Readonly<Record<string, TemplateValue>>;

const tokenPattern =
  /\s*(?:(\|)|(\()|(\))|((?:\.\w+)+|\.(?!\w))|("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+)|([A-Za-z_]\w*))\s*/y;
const actionPattern = /\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*?)( -)?\}\}/g;

/**
 * Renders a template of Go's text/template as far as tags of logs use it: fields, methods, pipelines, parentheses and the
 * functions that Docker gives. Throws InvalidArgument for the rest, such as `if` and `range`.
 */
export function renderGoTemplate(template: string, fields: TemplateFields): string {
  const pieces: string[] = [];
  let at = 0;
  let trimNext = false;
  const addText = (text: string): void => {
    pieces.push(trimNext ? text.trimStart() : text);
  };
  for (const match of template.matchAll(actionPattern)) {
    const before = template.slice(at, match.index);
    addText(match[1] === undefined ? before : before.trimEnd());
    pieces.push(print(new Evaluation(match[2] ?? '', fields).run()));
    trimNext = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = template.slice(at);
  if (rest.includes('{{')) throw invalid('unclosed action');
  addText(rest);
  return pieces.join('');
}

class Evaluation {
  readonly #tokens: RegExpExecArray[] = [];
  readonly #fields: TemplateFields;
  #at = 0;

  constructor(action: string, fields: TemplateFields) {
    this.#fields = fields;
    const pattern = new RegExp(tokenPattern);
    while (pattern.lastIndex < action.length) {
      const from = pattern.lastIndex;
      const token = pattern.exec(action);
      if (token === null) throw invalid(`unexpected ${JSON.stringify(action.slice(from).trim())} in command`);
      this.#tokens.push(token);
    }
  }

  run(): TemplateValue {
    const value = this.#pipeline();
    if (this.#next() !== undefined) throw invalid('unexpected ")" in command');
    return value;
  }

  #pipeline(): TemplateValue {
    let value = this.#command([]);
    while (this.#next()?.[1] !== undefined) {
      this.#at += 1;
      value = this.#command([value]);
    }
    return value;
  }

  /** One operand, or a function or method with its arguments; what comes from a pipe is the last of them. */
  #command(piped: readonly TemplateValue[]): TemplateValue {
    const name = this.#next()?.[7];
    if (name !== undefined && !(name in words)) {
      this.#at += 1;
      const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
      if (known === undefined) throw invalid(`function ${JSON.stringify(name)} not defined`);
      return known(...this.#operands(), ...piped);
    }
    const [first, ...args] = this.#operands();
    if (first === undefined) throw invalid('missing value for command');
    if (typeof first === 'function') return call(first, [...args, ...piped]);
    if (args.length + piped.length > 0) throw invalid(`can't give argument to non-function ${print(first)}`);
    return first;
  }

  #operands(): readonly TemplateValue[] {
    const operands: TemplateValue[] = [];
    for (let operand = this.#operand(); operand !== undefined; operand = this.#operand()) operands.push(operand);
    return operands;
  }

  #operand(): TemplateValue | undefined {
    const token = this.#next();
    if (token === undefined || token[1] !== undefined || token[3] !== undefined) return undefined;
    this.#at += 1;
    const [, , open, , chain, text, number, word] = token;
    if (open !== undefined) return this.#parenthesised();
    if (chain !== undefined) return lookUp(chain, this.#fields, true);
    if (text !== undefined) return unquote(text);
    if (number !== undefined) return Number(number);
    const value = words[word ?? ''];
    if (value === undefined) throw invalid(`function ${JSON.stringify(word)} must be called in parentheses`);
    return value;
  }

  #parenthesised(): TemplateValue {
    const value = this.#pipeline();
    if (this.#next()?.[3] === undefined) throw invalid('unclosed left paren');
    this.#at += 1;
    const chain = this.#next()?.[4];
    // `(...).Name` has no blank between; tokens do not know, and no operand of ours begins with a field after a parenthesis.
    if (chain === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    this.#at += 1;
    return lookUp(chain, value as TemplateMap, false);
  }

  #next(): RegExpExecArray | undefined {
    return this.#tokens[this.#at];
  }
}

/** Values that look like names. */
const words: Readonly<Record<string, TemplateValue>> = { nil: null };

/** Docker's functions for templates of logs, and those of Go that make sense here. */
const functions: Readonly<Record<string, TemplateMethod>> = {
  json: (value = null) => JSON.stringify(value),
  split: (text = '', separator = '') => print(text).split(print(separator)),
  join: (list = [], separator = '') => listOf(list).join(print(separator)),
  title: (text = '') => print(text).replaceAll(/(^|\s)\S/gu, (letter) => letter.toUpperCase()),
  lower: (text = '') => print(text).toLowerCase(),
  upper: (text = '') => print(text).toUpperCase(),
  pad: (text = '', before = 0, after = 0) =>
    print(text) === '' ? '' : ' '.repeat(countOf(before)) + print(text) + ' '.repeat(countOf(after)),
  truncate: (text = '', length = 0) => print(text).slice(0, countOf(length)),
  len: (value = '') => (typeof value === 'object' && value !== null ? Object.keys(value).length : print(value).length),
  index: (value = [], key = '') => {
    if (Array.isArray(value)) return (value as readonly string[])[countOf(key)] ?? outOfRange(key);
    return typeof value === 'object' && value !== null ? ((value as TemplateMap)[print(key)] ?? '') : outOfRange(key);
  },
  print: (...values) => values.map(print).join(''),
};

/** Tags are short: no function may make them long. */
const countMost = 1000;

function countOf(value: TemplateValue): number {
  if (typeof value === 'number' && value >= 0 && value <= countMost) return value;
  throw invalid(`wrong type for value; expected a number up to ${String(countMost)}, got ${print(value)}`);
}

function listOf(value: TemplateValue): readonly string[] {
  if (Array.isArray(value)) return value as readonly string[];
  throw invalid(`wrong type for value; expected []string, got ${print(value)}`);
}

function outOfRange(key: TemplateValue): never {
  throw invalid(`index out of range: ${print(key)}`);
}

/** Unknown names are wrong in the fields that we give; in maps of the user's they have no value. */
function lookUp(chain: string, fields: TemplateFields, isOurs: boolean): TemplateValue {
  let value: TemplateValue = fields as TemplateMap;
  for (const name of chain.split('.').slice(1)) {
    if (name === '') continue;
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMap) throw invalid(`can't evaluate field ${name} in ${print(value)}`);
    const map = value as TemplateFields;
    if (!Object.hasOwn(map, name)) {
      if (isOurs && map === fields) throw invalid(`can't evaluate field ${name} in type *logger.Info`);
      return '<no value>';
    }
    value = map[name] ?? null;
    // A method without arguments is called where it stands; one with arguments is called by its command.
    if (typeof value === 'function' && value.length === 0) value = value();
  }
  return value;
}

function call(method: TemplateMethod, args: readonly TemplateValue[]): TemplateValue {
  if (args.length === method.length) return method(...args);
  throw invalid(`wrong number of args for a method: want ${String(method.length)} got ${String(args.length)}`);
}

/** As Go prints values: `[a b]`, `map[a:1 b:2]`. */
function print(value: TemplateValue): string {
  if (value === null) return '<no value>';
  if (typeof value === 'function') return print(call(value, []));
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  const entries = Object.entries(value as TemplateMap).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${item}`).join(' ')}]`;
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    throw invalid(`bad string ${text}`);
  }
}

function invalid(what: string): StatusError {
  return new StatusError('InvalidArgument', `template: log-tag: ${what}`);
}
