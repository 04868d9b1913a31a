import { required } from '#base/assert.ts';

import type { AnySchema, Field, ListSchema, MapSchema, ScalarSchema, Schema, StructSchema } from '../schema.ts';

/**
 * Types out of the generated table. A line is `package.Type|atomic|field|field...`, a field `name type path flags extra...`:
 * - type: a letter for a scalar with `=Go's name`, `aX` for any JSON, `[kind:keys=name]` before items, `{=name}` before
 *   values, `package.Type` or `.Type` for a struct (`!` atomic here, `~` not atomic here);
 * - path: protobuf numbers; flags: r required, p pointer, o omitempty, z omitzero;
 * - extra: `Pm,k=key` strategic merge, `D` and JSON for a default.
 * A type's fields are read when they are first asked for.
 */
export interface TypeTable {
  /** Undefined: the table does not have it. */
  type(key: string): StructSchema | undefined;
  keys(): Iterable<string>;
}

export function readTypeTable(text: string): TypeTable {
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) if (line !== '') lines.set(line.slice(0, line.indexOf('|')), line);
  const known = new Map<string, StructSchema>();
  const reader: TypeReader = {
    struct: (key) => {
      const before = known.get(key);
      if (before !== undefined) return before;
      const line = lines.get(key);
      if (line === undefined) return undefined;
      const made = new TableStruct(key, line, reader);
      known.set(key, made);
      return made;
    },
  };
  return { type: (key) => reader.struct(key), keys: () => lines.keys() };
}

interface TypeReader {
  struct(key: string): StructSchema | undefined;
}

class TableStruct implements StructSchema {
  readonly type = 'struct';
  readonly name: string;
  readonly key: string;
  readonly isAtomic: boolean;
  readonly keepsUnknown = false;
  readonly isEmbedded = false;
  readonly #package: string;
  readonly #line: string;
  readonly #reader: TypeReader;
  #fields: ReadonlyMap<string, Field> | undefined;

  constructor(key: string, line: string, reader: TypeReader) {
    this.key = key;
    this.name = key.slice(key.indexOf('/') + 1);
    this.isAtomic = line.startsWith('!', key.length + 1);
    this.#package = key.slice(0, key.lastIndexOf('.'));
    this.#line = line;
    this.#reader = reader;
  }

  get fields(): ReadonlyMap<string, Field> {
    this.#fields ??= readFields(this.#line, this.#package, this.#reader);
    return this.#fields;
  }
}

function readFields(line: string, ownPackage: string, reader: TypeReader): ReadonlyMap<string, Field> {
  const [, , ...texts] = line.split('|');
  return new Map(
    texts
      .filter((text) => text !== '')
      .map((text) => {
        const [name = '', type = '', path = '', flags = '', ...extras] = text.split(' ');
        const fallback = extras.find((extra) => extra.startsWith('D'));
        const patch = extras.find((extra) => extra.startsWith('P'));
        return [
          name,
          {
            schema: readType(type, ownPackage, reader),
            isRequired: flags.includes('r'),
            defaultValue: fallback === undefined ? undefined : (JSON.parse(fallback.slice(1)) as unknown),
            isNullable: false,
            patch: patch === undefined ? undefined : readPatch(patch),
            go: {
              path: path === '' ? [] : path.split('.').map(Number),
              isPointer: flags.includes('p'),
              omitsEmpty: flags.includes('o'),
              omitsZero: flags.includes('z'),
            },
          },
        ];
      }),
  );
}

function readPatch(text: string): Field['patch'] {
  const [strategies = '', key = ''] = text.slice(1).split('=');
  return {
    merges: strategies.split(',').includes('m'),
    retainsKeys: strategies.split(',').includes('k'),
    mergeKey: key === '' ? undefined : key,
  };
}

const scalars: Readonly<Record<string, ScalarSchema['scalar']>> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  d: 'double',
  b: 'boolean',
  y: 'bytes',
  q: 'quantity',
  o: 'int-or-string',
  t: 'time',
  u: 'micro-time',
  D: 'duration',
};

const anyTypes: Readonly<Record<string, NonNullable<AnySchema['goType']>>> = {
  aR: 'RawExtension',
  aF: 'FieldsV1',
  aJ: 'JSON',
  aA: 'SchemaOrArray',
  aB: 'SchemaOrBool',
  aS: 'SchemaOrStrings',
};

function readType(text: string, ownPackage: string, reader: TypeReader): Schema {
  if (text.startsWith('[')) return readList(text, ownPackage, reader);
  if (text.startsWith('{')) return readMap(text, ownPackage, reader);
  const anyType = anyTypes[text];
  if (anyType !== undefined) return { type: 'any', goType: anyType };
  const [letter = '', goName] = text.split('=');
  const scalar = scalars[letter];
  if (scalar !== undefined) return { type: 'scalar', scalar, values: [], ...named(goName) };
  const name = text.replace(/^[!~]/, '');
  const struct = required(reader.struct(name.startsWith('.') ? ownPackage + name : name), `type ${name} in the table`);
  return text.startsWith('~') ? granular(struct) : struct;
}

/** The type where a field says that its parts have owners of their own. */
function granular(struct: StructSchema): StructSchema {
  const { type, name, key, keepsUnknown, isEmbedded } = struct;
  return {
    type,
    name,
    ...(key === undefined ? {} : { key }),
    keepsUnknown,
    isEmbedded,
    isAtomic: false,
    get fields() {
      return struct.fields;
    },
  };
}

function readList(text: string, ownPackage: string, reader: TypeReader): ListSchema {
  const end = text.indexOf(']');
  const [head = '', goName] = text.slice(1, end).split('=');
  const [kinds = '', keys = ''] = head.split(':');
  const kind = kinds.endsWith('m') ? 'map' : kinds.endsWith('s') ? 'set' : 'atomic';
  return {
    type: 'list',
    items: readType(text.slice(end + 1), ownPackage, reader),
    kind,
    keys: keys === '' ? [] : keys.split(','),
    isWrapped: kinds.startsWith('W'),
    ...named(goName),
  };
}

function readMap(text: string, ownPackage: string, reader: TypeReader): MapSchema {
  const end = text.indexOf('}');
  const [head = '', goName] = text.slice(1, end).split('=');
  return {
    type: 'map',
    values: readType(text.slice(end + 1), ownPackage, reader),
    isAtomic: head === 'a',
    ...named(goName),
  };
}

function named(goName: string | undefined): { readonly goName?: string } {
  return goName === undefined ? {} : { goName };
}
