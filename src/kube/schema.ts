/**
 * Types of the Kubernetes API as data. A schema is what decoding, validation, patches, server-side apply, OpenAPI and
 * `explain` read; built-in ones come from the published specification, others from a CustomResourceDefinition.
 */
export type Schema = StructSchema | MapSchema | ListSchema | ScalarSchema | AnySchema;

/** A value with known fields. `fields` may be computed late, since types can hold themselves (JSONSchemaProps). */
export interface StructSchema {
  readonly type: 'struct';
  /** Go's name of the type, such as `v1.PodSpec`; empty for the parts of custom resources. */
  readonly name: string;
  /** Go's package and name of a built-in type, such as `core/v1.PodSpec`. */
  readonly key?: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** One owner for the whole value (x-kubernetes-map-type: atomic). */
  readonly isAtomic: boolean;
  /** Fields that are not listed are kept (x-kubernetes-preserve-unknown-fields). */
  readonly keepsUnknown: boolean;
  /** A whole object of some kind: has apiVersion, kind, metadata (x-kubernetes-embedded-resource). */
  readonly isEmbedded: boolean;
}

export interface Field {
  readonly schema: Schema;
  readonly isRequired: boolean;
  /** Value that an absent field gets; undefined: none. */
  readonly defaultValue: unknown;
  /** `null` is a value of its own (custom resources with nullable). */
  readonly isNullable: boolean;
  /** Strategic merge patch (x-kubernetes-patch-strategy, x-kubernetes-patch-merge-key); for built-in kinds only. */
  readonly patch:
    | { readonly merges: boolean; readonly retainsKeys: boolean; readonly mergeKey: string | undefined }
    | undefined;
  /** How Go's type has the field; undefined for custom resources. */
  readonly go?: GoField;
}

/** What protobuf and Go's rules for zero values need to know of a built-in field. */
export interface GoField {
  /** Protobuf field numbers, from outside in: more than one where structs are inlined, none for kind and apiVersion. */
  readonly path: readonly number[];
  /** The zero value differs from none. */
  readonly isPointer: boolean;
  /** `omitempty`: an empty value is left out, but for structs. */
  readonly omitsEmpty: boolean;
  /** `omitzero`: a zero value is left out. */
  readonly omitsZero: boolean;
}

export interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
  readonly isAtomic: boolean;
  /** Go's name, such as `v1.ResourceList`, when it has one. */
  readonly goName?: string;
}

export interface ListSchema {
  readonly type: 'list';
  readonly items: Schema;
  /** atomic: one owner; set: items are keys; map: items are told apart by `keys` (x-kubernetes-list-type). */
  readonly kind: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  /** Go's name, such as `v1.ExtraValue`, when it has one. */
  readonly goName?: string;
  /** In protobuf a message with the items as field 1. */
  readonly isWrapped?: boolean;
}

/** `int32` and `int64` are whole; `bytes` is base64 text; `micro-time` has six digits of a second. */
export interface ScalarSchema {
  readonly type: 'scalar';
  readonly scalar:
    | 'string'
    | 'int32'
    | 'int64'
    | 'double'
    | 'boolean'
    | 'bytes'
    | 'quantity'
    | 'int-or-string'
    | 'time'
    | 'micro-time'
    | 'duration';
  /** Allowed values; empty: any. */
  readonly values: readonly string[];
  /** Go's name, such as `v1.Protocol`, when it has one. */
  readonly goName?: string;
}

/** Any JSON (RawExtension, JSON, FieldsV1): kept as it is, one owner. */
export interface AnySchema {
  readonly type: 'any';
  /** Which of Go's types it is, for protobuf; undefined for custom resources. */
  readonly goType?: 'RawExtension' | 'FieldsV1' | 'JSON' | 'SchemaOrArray' | 'SchemaOrBool' | 'SchemaOrStrings';
}
