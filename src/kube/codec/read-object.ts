import { badRequest } from '../status.ts';
import type { AnySchema, Field, ListSchema, MapSchema, Schema, StructSchema } from '../schema.ts';
import { goTypeName } from './go-type-name.ts';
import { NumberLiteral, plainValue, setField } from './json-text.ts';
import { readScalar, type ScalarReport } from './read-scalar.ts';
import { readSchemaUnion } from './schema-unions.ts';
import { emptyStruct, isLeftOut, zeroValue } from './zero-values.ts';

/** Strict errors of one body that are told; more are counted by nobody. */
const strictErrorsMost = 100;

export interface ReadResult {
  readonly object: Record<string, unknown>;
  /** What only strict decoding minds: `unknown field "spec.foo"`, `duplicate field "spec.replicas"`. */
  readonly strictErrors: readonly string[];
}

const noDuplicates: ReadonlyMap<object, ReadonlySet<string>> = new Map();

/**
 * Reads a value as Go reads JSON into the type and writes it again: unknown fields are dropped, null is none, empty values
 * that Go leaves out are left out, structs that it always writes are there, quantities and times have their one form.
 * Throws BadRequest in Go's words for the first value that has another type. The value is not changed.
 */
export function readObject(
  value: unknown,
  schema: StructSchema,
  duplicates: ReadonlyMap<object, ReadonlySet<string>> = noDuplicates,
): ReadResult {
  const reader = new ObjectReader(duplicates);
  const object = reader.document(value, schema);
  if (reader.error !== undefined) throw badRequest(reader.error);
  return { object, strictErrors: [...reader.strictErrors] };
}

class ObjectReader {
  /** The first value of a wrong type; Go reads on and tells of it at the end. */
  error: string | undefined;
  readonly strictErrors = new Set<string>();
  readonly #duplicates: ReadonlyMap<object, ReadonlySet<string>>;
  /** Names of fields from the root: Go's errors say them without the places in lists. */
  readonly #fieldStack: string[] = [];
  readonly #path: string[] = [];
  #owner = '';
  readonly #scalars: ScalarReport = {
    mismatch: (value, schema) => {
      this.#mismatch(value, schema);
    },
    save: (message) => {
      this.error ??= message;
    },
    // What a type's own decoder refuses ends the decoding at once.
    abort: (message) => {
      throw badRequest(message);
    },
  };

  constructor(duplicates: ReadonlyMap<object, ReadonlySet<string>>) {
    this.#duplicates = duplicates;
  }

  document(value: unknown, schema: StructSchema): Record<string, unknown> {
    return (this.#record(value, schema) ?? {}) as Record<string, unknown>;
  }

  #value(value: unknown, schema: Schema): unknown {
    switch (schema.type) {
      case 'struct':
        return this.#record(value, schema);
      case 'map':
        return this.#map(value, schema);
      case 'list':
        return this.#list(value, schema);
      case 'scalar':
        return readScalar(value, schema, this.#scalars);
      default:
        return this.#any(value, schema);
    }
  }

  #record(value: unknown, schema: StructSchema): unknown {
    if (!isRecord(value)) return this.#mismatch(value, schema);
    const result: Record<string, unknown> = {};
    const before = this.#owner;
    const repeated = this.#duplicates.get(value);
    for (const name of Object.keys(value)) {
      const field = schema.fields.get(name);
      this.#path.push(this.#path.length === 0 ? name : `.${name}`);
      if (field === undefined) {
        if (schema.keepsUnknown) setField(result, name, this.#free(value[name]));
        else this.#strict('unknown');
      } else {
        this.#owner = schema.name.slice(schema.name.indexOf('.') + 1);
        this.#fieldStack.push(name);
        const read = this.#field(value[name], field);
        if (read !== undefined) setField(result, name, read);
        this.#fieldStack.pop();
        if (repeated?.has(name) === true) this.#strict('duplicate');
      }
      this.#path.pop();
    }
    this.#owner = before;
    return emptyStruct(schema, result);
  }

  #field(value: unknown, field: Field): unknown {
    if (value === null) return field.isNullable ? null : undefined;
    const read = this.#value(value, field.schema);
    return read !== undefined && isLeftOut(read, field) ? undefined : read;
  }

  #map(value: unknown, schema: MapSchema): unknown {
    if (!isRecord(value)) return this.#mismatch(value, schema);
    const result: Record<string, unknown> = {};
    const repeated = this.#duplicates.get(value);
    for (const [name, part] of Object.entries(value)) {
      this.#path.push(this.#path.length === 0 ? name : `.${name}`);
      setField(result, name, this.#item(part, schema.values));
      if (repeated?.has(name) === true) this.#strict('duplicate');
      this.#path.pop();
    }
    return result;
  }

  #list(value: unknown, schema: ListSchema): unknown {
    if (!Array.isArray(value)) return this.#mismatch(value, schema);
    return value.map((part, index) => {
      this.#path.push(`[${String(index)}]`);
      const read = this.#item(part, schema.items);
      this.#path.pop();
      return read;
    });
  }

  /** Null in a list or map is the zero value of its type. */
  #item(value: unknown, schema: Schema): unknown {
    if (value === null) return zeroValue(schema);
    return this.#value(value, schema) ?? zeroValue(schema);
  }

  #any(value: unknown, schema: AnySchema): unknown {
    switch (schema.goType) {
      case 'SchemaOrArray':
      case 'SchemaOrBool':
      case 'SchemaOrStrings':
        return readSchemaUnion(value, schema.goType, (part, of) => readObject(part, of).object);
      default:
        return schema.goType === undefined ? this.#free(value) : plainValue(value);
    }
  }

  /** A value of a custom resource that has no schema; names that are there twice are told all the same. */
  #free(value: unknown): unknown {
    if (this.#duplicates.size > 0) this.#freeDuplicates(value);
    return plainValue(value);
  }

  #freeDuplicates(value: unknown): void {
    if (typeof value !== 'object' || value === null || value instanceof NumberLiteral) return;
    const repeated = this.#duplicates.get(value);
    const isList = Array.isArray(value);
    for (const [name, part] of Object.entries(value)) {
      this.#path.push(isList ? `[${name}]` : this.#path.length === 0 ? name : `.${name}`);
      this.#freeDuplicates(part);
      if (repeated?.has(name) === true) this.#strict('duplicate');
      this.#path.pop();
    }
  }

  #strict(what: 'unknown' | 'duplicate'): void {
    if (this.strictErrors.size >= strictErrorsMost) return;
    this.strictErrors.add(`${what} field ${JSON.stringify(this.#path.join(''))}`);
  }

  #mismatch(value: unknown, schema: Schema): undefined {
    const field = this.#fieldStack.join('.');
    const where = field === '' && this.#owner === '' ? 'Go value' : `Go struct field ${this.#owner}.${field}`;
    this.error ??= `json: cannot unmarshal ${jsonKind(value, schema)} into ${where} of type ${goTypeName(schema)}`;
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberLiteral);
}

/** What a JSON value is called in Go's errors: a number with its text where the text is what is wrong. */
function jsonKind(value: unknown, schema: Schema): string {
  if (typeof value === 'number' || value instanceof NumberLiteral) {
    const isNumber = schema.type === 'scalar' && ['int32', 'int64', 'double'].includes(schema.scalar);
    return isNumber ? `number ${typeof value === 'number' ? String(value) : value.text}` : 'number';
  }
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : 'object';
}
