import { required } from '#base/assert.ts';
import { StatusError } from '#base/errors.ts';

import type { Field, StructSchema } from '../schema.ts';
import { builtinType } from '../schemas/builtin-schemas.ts';
import { ApiError, badRequest } from '../status.ts';
import { NumberLiteral, parseJson, plainValue, setField } from './json-text.ts';
import { decodeProtobuf, isProtobuf } from './protobuf-envelope.ts';
import { readObject, type ReadResult } from './read-object.ts';
import { parseYaml } from './yaml-text.ts';

export type BodyFormat = 'json' | 'yaml' | 'protobuf';
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface DecodeOptions {
  readonly fieldValidation: FieldValidation;
  /** What the body shall be: for texts of errors, and for bodies that do not say it. */
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** The error for a body that does not fit; without it BadRequest that names the kind. */
  readonly misfit?: (why: string) => ApiError;
}

export interface DecodedBody {
  readonly object: Record<string, unknown>;
  /** Texts for Warning headers. */
  readonly warnings: readonly string[];
}

/** As upstream's server has it. */
const bodyBytesMost = 3 * 1024 * 1024;

const formats: Readonly<Record<string, BodyFormat>> = {
  '': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
};

/** How a body with this content type is written; undefined: in none that we read. */
export function bodyFormat(contentType: string | undefined): BodyFormat | undefined {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return Object.hasOwn(formats, type) ? formats[type] : undefined;
}

/**
 * Reads the body of a request into an object: of a built-in kind by its schema; without a schema (custom resources) as it
 * is, with its metadata read. Missing apiVersion and kind are those of `options.kind`; given ones are not compared. Throws
 * an ApiError with upstream's sentence: BadRequest, RequestEntityTooLarge, UnsupportedMediaType.
 */
export function decodeBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  schema: StructSchema | undefined,
  options: DecodeOptions,
): DecodedBody {
  if (bytes.length > bodyBytesMost)
    throw new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${String(bodyBytesMost)}`);
  const format = bodyFormat(contentType);
  if (format === undefined) throw unsupportedMediaType();
  try {
    const { object, strictErrors } = read(bytes, format, schema);
    if (strictErrors.length > 0 && options.fieldValidation === 'Strict')
      throw badRequest(`strict decoding error: ${strictErrors.join(', ')}`);
    setKind(object, options.kind);
    return { object, warnings: options.fieldValidation === 'Warn' ? strictErrors : [] };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw options.misfit?.(error.message) ?? notOfKind(options.kind, error.message, error);
  }
}

/** BadRequest: a body is none of its kind. */
export function notOfKind({ version, kind }: DecodeOptions['kind'], why: string, cause?: unknown): ApiError {
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`, cause);
}

/** The text of a body as plain JSON, unread: for patches. Throws BadRequest. */
export function decodePlain(
  bytes: Uint8Array,
  format: Exclude<BodyFormat, 'protobuf'>,
): ReadResult['object'] | unknown[] {
  const text = textOf(bytes);
  const value = plainValue(format === 'json' ? parseJson(text).value : parseYaml(text).value);
  if (typeof value !== 'object' || value === null) throw badRequest('the body is neither an object nor a list');
  return value as ReadResult['object'] | unknown[];
}

function unsupportedMediaType(): ApiError {
  const types = Object.keys(formats).filter((type) => type !== '');
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  );
}

function read(bytes: Uint8Array, format: BodyFormat, schema: StructSchema | undefined): ReadResult {
  if (format === 'protobuf') {
    if (!isProtobuf(bytes))
      throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
    if (schema === undefined) throw badRequest('custom resources have no form in protobuf; send JSON');
    return { object: decodeProtobuf(bytes, schema), strictErrors: [] };
  }
  const text = textOf(bytes);
  const yaml = format === 'yaml' ? parseYaml(text) : undefined;
  const { value, duplicates } = yaml === undefined ? parseDocument(text) : { value: yaml.value, duplicates: undefined };
  checkKind(value);
  const { object, strictErrors } = readObject(value, schema ?? customResource(), duplicates);
  const yamlErrors = yaml?.strictError === undefined ? [] : [yaml.strictError];
  return { object, strictErrors: [...yamlErrors, ...strictErrors] };
}

/** A custom resource as a decoder sees it: metadata has a type, the rest is for its own schema. */
function customResource(): StructSchema {
  const metadata: Field = {
    schema: required(builtinType('meta/v1.ObjectMeta'), 'ObjectMeta'),
    isRequired: true,
    defaultValue: undefined,
    isNullable: false,
    patch: undefined,
  };
  return {
    type: 'struct',
    name: '',
    fields: new Map([['metadata', metadata]]),
    isAtomic: false,
    keepsUnknown: true,
    isEmbedded: true,
  };
}

function parseDocument(text: string): ReturnType<typeof parseJson> {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw badRequest(`couldn't get version/kind; json parse error: ${error.message}`, error);
  }
}

/** What upstream reads first of every body. */
function checkKind(value: unknown): void {
  const wrong = (what: string, where: string): ApiError =>
    badRequest(`couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into ${where}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof NumberLiteral) {
    if (value === null) return;
    throw wrong(kindOf(value), `Go value of type ${kindStruct}`);
  }
  for (const name of ['apiVersion', 'kind']) {
    const part = (value as Record<string, unknown>)[name];
    if (part !== undefined && part !== null && typeof part !== 'string')
      throw wrong(kindOf(part), `Go struct field .${name} of type string`);
  }
}

const kindStruct = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || value instanceof NumberLiteral) return 'number';
  return typeof value === 'string' ? 'string' : 'object';
}

function setKind(object: Record<string, unknown>, { group, version, kind }: DecodeOptions['kind']): void {
  if (object['apiVersion'] === undefined)
    setField(object, 'apiVersion', group === '' ? version : `${group}/${version}`);
  if (object['kind'] === undefined) setField(object, 'kind', kind);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
