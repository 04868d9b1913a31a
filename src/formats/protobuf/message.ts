/** Scalar types of protobuf that we meet; enums are `int32`. 64-bit integers are bigint: JavaScript's numbers end before. */
export type Scalar = 'string' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'double';

/** A message as a table of its fields, by the names that the program uses. */
export interface Message<F extends Fields = Fields> {
  readonly fields: F;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Field<T extends FieldType = FieldType, C extends Cardinality = Cardinality> {
  /** As in the `.proto` file. */
  readonly number: number;
  readonly type: T;
  readonly cardinality: C;
}

export type FieldType = Scalar | Message;
export type Cardinality = 'one' | 'many' | 'map';

/** What decoding gives: scalars that are absent have their zero value, messages are undefined. */
export type Decoded<M extends Message> =
  M extends Message<infer F> ? { readonly [K in keyof F]: DecodedField<F[K]> } : never;

type DecodedField<D> =
  D extends Field<infer T, infer C>
    ? C extends 'many'
      ? readonly Value<T>[]
      : C extends 'map'
        ? ReadonlyMap<string, Value<T>>
        : T extends Message
          ? Value<T> | undefined
          : Value<T>
    : never;

type Value<T> = T extends Scalar ? ScalarValue<T> : T extends Message ? Decoded<T> : never;

interface ScalarValues {
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  readonly int32: number;
  readonly uint32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly double: number;
}

type ScalarValue<T extends Scalar> = ScalarValues[T];

/** What can be encoded: any part of the fields. */
export type Encodable<M extends Message> =
  M extends Message<infer F> ? { readonly [K in keyof F]?: EncodableField<F[K]> | undefined } : never;

type EncodableField<D> =
  D extends Field<infer T, infer C>
    ? C extends 'many'
      ? readonly EncodableValue<T>[]
      : C extends 'map'
        ? Iterable<readonly [string, EncodableValue<T>]>
        : EncodableValue<T>
    : never;

type EncodableValue<T> = T extends Scalar ? ScalarValue<T> : T extends Message ? Encodable<T> : never;

export function message<const F extends Fields>(fields: F): Message<F> {
  return { fields };
}

export function one<T extends FieldType>(number: number, type: T): Field<T, 'one'> {
  return { number, type, cardinality: 'one' };
}

export function many<T extends FieldType>(number: number, type: T): Field<T, 'many'> {
  return { number, type, cardinality: 'many' };
}

/** `map<string, T>`. */
export function map<T extends FieldType>(number: number, type: T): Field<T, 'map'> {
  return { number, type, cardinality: 'map' };
}
