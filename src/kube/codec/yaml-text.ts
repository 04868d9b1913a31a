import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Pair } from 'yaml';

import { StatusError } from '#base/errors.ts';

import { NumberLiteral, parseJson, setField } from './json-text.ts';

/** What a text in YAML says; `strictError`: what only strict decoding minds, in the words of Go's package. */
export interface ParsedYaml {
  readonly value: unknown;
  readonly strictError: string | undefined;
}

/** Values that aliases may multiply a document to. */
const maximumNodes = 500_000;
const maximumDepth = 1_000;
/** YAML takes microseconds for each byte: more of it would hold up everybody else. JSON has no such bound. */
const yamlBytesMost = 256 * 1024;

/**
 * Reads one document of YAML as sigs.k8s.io/yaml does: scalars of YAML 1.1 without its numbers to the base of 60, names of
 * fields as text, times as text. JSON, which clients send as YAML too, is read as JSON. Throws InvalidArgument, TooLarge.
 */
export function parseYaml(text: string): ParsedYaml {
  const json = parseAsJson(text);
  if (json !== undefined) return json;
  if (text.length > yamlBytesMost)
    throw new StatusError(
      'TooLarge',
      `Cannot read YAML of ${String(text.length)} characters: at most ${String(yamlBytesMost)} are read; send JSON`,
    );
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      schema: 'failsafe',
      version: '1.1',
      uniqueKeys: false,
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [error] = document.errors;
    if (error?.message.startsWith('Maximum call stack') === true) throw yamlError('exceeded max depth');
    if (error !== undefined) throw yamlError(`line ${String(lines.linePos(error.pos[0]).line)}: ${error.message}`);
    const reader = new YamlReader(lines);
    const value = reader.value(document.contents, 0);
    const { duplicates } = reader;
    return {
      value,
      strictError:
        duplicates.length === 0
          ? undefined
          : `yaml: unmarshal errors:\n${duplicates.map((one) => `  ${one}`).join('\n')}`,
    };
  } catch (error) {
    if (error instanceof StatusError) throw error;
    // The parser recurses: what is nested beyond the stack ends here, and so does what it does not expect.
    throw yamlError(error instanceof RangeError ? 'exceeded max depth' : 'cannot be read', error);
  }
}

/** Undefined: it is no JSON, or has repeated names, of which YAML tells the lines. */
function parseAsJson(text: string): ParsedYaml | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const { value, duplicates } = parseJson(text);
    return duplicates.size === 0 ? { value, strictError: undefined } : undefined;
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

class YamlReader {
  readonly duplicates: string[] = [];
  readonly #lines: LineCounter;
  /** Nodes by their anchors, as far as the document was read; the package would look for each in the whole document. */
  readonly #anchors = new Map<string, unknown>();
  /** What an alias stands for at its place. */
  readonly #targets = new Map<unknown, unknown>();
  #aliases = 0;
  readonly #open = new Set<unknown>();
  #nodes = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  value(node: unknown, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > maximumNodes) throw yamlError('document contains excessive aliasing');
    if (depth > maximumDepth) throw yamlError('exceeded max depth');
    if (isNode(node) && !isAlias(node) && node.anchor !== undefined && this.#aliases === 0)
      this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return scalarValue(typeof node.value === 'string' ? node.value : '', node.type, node.tag);
    if (isAlias(node)) {
      const target = this.#targets.get(node) ?? this.#anchors.get(node.source);
      if (target === undefined) throw yamlError(`unknown anchor '${node.source}' referenced`);
      if (this.#open.has(target)) throw yamlError(`anchor '${node.source}' value contains itself`);
      this.#targets.set(node, target);
      this.#aliases += 1;
      const value = this.value(target, depth + 1);
      this.#aliases -= 1;
      return value;
    }
    if (!isSeq(node) && !isMap(node)) return null;
    this.#open.add(node);
    const value = isSeq(node) ? node.items.map((item) => this.value(item, depth + 1)) : this.#map(node.items, depth);
    this.#open.delete(node);
    return value;
  }

  #map(pairs: readonly Pair[], depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    const own = new Set<string>();
    for (const { key, value } of pairs) {
      if (isScalar(key) && key.value === '<<' && key.type === 'PLAIN') {
        for (const [name, merged] of this.#merged(value, depth)) if (!own.has(name)) setField(object, name, merged);
        continue;
      }
      const name = keyText(this.value(key, depth + 1));
      if (own.has(name)) this.#duplicate(key, name);
      own.add(name);
      setField(object, name, this.value(value, depth + 1));
    }
    return object;
  }

  /** Fields of the maps that `<<` names; of several the first one counts. */
  #merged(node: unknown, depth: number): readonly (readonly [string, unknown])[] {
    const value = this.value(node, depth + 1);
    const parts: readonly unknown[] = Array.isArray(value) ? value.toReversed() : [value];
    return parts.flatMap((part) => {
      if (typeof part !== 'object' || part === null)
        throw yamlError('map merge requires map or sequence of maps as the value');
      return Object.entries(part);
    });
  }

  #duplicate(key: unknown, name: string): void {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    this.duplicates.push(
      `line ${String(this.#lines.linePos(offset).line)}: key ${JSON.stringify(name)} already set in map`,
    );
  }
}

function keyText(key: unknown): string {
  if (key instanceof NumberLiteral) return key.text;
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean') return String(key);
  throw yamlError(key === null ? 'a key is null' : 'a key is no scalar');
}

const words = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);
const integerPattern = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/;
const floatPattern = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function scalarValue(text: string, style: string | null | undefined, tag: string | undefined): unknown {
  if (tag === 'tag:yaml.org,2002:str' || tag === '!') return text;
  if (tag === 'tag:yaml.org,2002:binary') return Buffer.from(text, 'base64').toString('utf8');
  if (style !== 'PLAIN' && tag === undefined) return text;
  const word = words.get(text);
  if (word !== undefined) return word;
  const digits = text.replaceAll('_', '');
  if (!/^[-+.0-9]/.test(text)) return text;
  if (integerPattern.test(digits)) return integer(digits);
  return floatPattern.test(digits) && Number.isFinite(Number(digits)) ? Number(digits) : text;
}

function integer(text: string): number | NumberLiteral {
  const isNegative = text.startsWith('-');
  const bare = text.replace(/^[-+]/, '').toLowerCase();
  const octal = /^0o?([0-7]+)$/.exec(bare)?.[1];
  const value = BigInt(octal === undefined ? bare : `0o${octal}`) * (isNegative ? -1n : 1n);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new NumberLiteral(String(value));
}

function yamlError(what: string, cause?: unknown): StatusError {
  return new StatusError('InvalidArgument', `error converting YAML to JSON: yaml: ${what}`, { cause });
}
