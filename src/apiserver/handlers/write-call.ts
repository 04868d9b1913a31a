import { required } from '#base/assert.ts';
import { decodeBody, type FieldValidation, notOfKind } from '#kube/codec/decode-body.ts';
import type { CustomKind } from '#kube/custom/custom-kinds.ts';
import type { Resource } from '#kube/resource.ts';
import type { StructSchema } from '#kube/schema.ts';
import { builtinSchema } from '#kube/schemas/builtin-schemas.ts';
import { type ApiError, badRequest, invalid } from '#kube/status.ts';

import type { Call } from '../http/call.ts';
import type { ResourceRequest } from '../http/request-info.ts';
import { apiVersionOf, type ServedResource } from '../resources/served-resource.ts';
import type { WriteOptions } from '../writes/write-options.ts';
import { asResource } from './context.ts';

type Kind = { readonly group: string; readonly version: string; readonly kind: string };

/** The error for a value that is no object of its kind. */
export type Misfit = (why: string) => ApiError;

const managerLengthMost = 128;

/** How a request wants its write, from its query. Throws BadRequest and Invalid with upstream's words. */
export function writeOptionsOf(call: Call<ResourceRequest>): WriteOptions {
  return {
    user: call.user,
    isDryRun: isDryRun(call),
    manager: managerOf(call),
    subresource: call.info.subresource,
    warn: (text) => void call.warnings.add(text),
    annotate: call.annotate,
  };
}

function fieldValidationOf({ query }: Call): FieldValidation {
  const value = query.get('fieldValidation') ?? '';
  if (value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  throw invalidOption('fieldValidation', value, ['Ignore', 'Warn', 'Strict']);
}

/** The object in a request's body, in the version that the path names and in its namespace. */
export async function bodyObject(call: Call<ResourceRequest>, { def, custom }: ServedResource): Promise<Resource> {
  const value = decoded(call, await call.readBody(), contentTypeOf(call), def.schema, def);
  checkKind(value, def);
  pruned(call, custom, value, (why) => notOfKind(def, why));
  const object = asResource({ ...value, kind: def.kind, apiVersion: apiVersionOf(def) });
  return def.scope === 'Namespaced' ? inNamespace(object, call.info.namespace) : object;
}

/** The value of a body that is another kind than the resource's own, such as Eviction or DeleteOptions. */
export async function bodyOf(call: Call, kind: Kind): Promise<Record<string, unknown>> {
  const schema = required(builtinSchema(kind.group, kind.version, kind.kind), `the schema of ${kind.kind}`);
  return decoded(call, await call.readBody(), contentTypeOf(call), schema, kind);
}

/** What a patch made of an object, read as if it had been sent: unknown fields go, wrong types are refused. */
export function patchedObject(
  call: Call,
  { def, custom }: ServedResource,
  value: Record<string, unknown>,
  misfit: Misfit,
): Resource {
  const body = Buffer.from(JSON.stringify(value));
  const object = decoded(call, body, 'application/json', def.schema, def, misfit);
  pruned(call, custom, object, misfit);
  return asResource(object);
}

/** Takes from a custom resource what its schema does not know, and says so as it was asked to. */
export function pruned(
  call: Call,
  custom: CustomKind | undefined,
  object: Record<string, unknown>,
  misfit: Misfit,
): void {
  if (custom === undefined) return;
  if (custom.deprecationWarning !== undefined) call.warnings.add(custom.deprecationWarning);
  const faults = custom.prune(object).map((path) => `unknown field "${path}"`);
  const validation = fieldValidationOf(call);
  if (faults.length > 0 && validation === 'Strict') throw misfit(`strict decoding error: ${faults.join(', ')}`);
  if (validation === 'Warn') for (const fault of faults) call.warnings.add(fault);
}

/** Throws BadRequest, UnsupportedMediaType; tells the client of what is only dropped. */
export function decoded(
  call: Call,
  body: Uint8Array,
  contentType: string,
  schema: StructSchema,
  kind: Kind,
  misfit?: Misfit,
): Record<string, unknown> {
  const options = { fieldValidation: fieldValidationOf(call), kind, ...(misfit === undefined ? {} : { misfit }) };
  // Custom resources are read by their own schema, when they are checked.
  const { object, warnings } = decodeBody(body, contentType, schema.name === '' ? undefined : schema, options);
  for (const text of warnings) call.warnings.add(text);
  return object;
}

export function contentTypeOf(call: Call): string {
  return (call.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() || 'application/json';
}

/** Throws BadRequest when the object says it is of another kind than the path. */
function checkKind(value: Record<string, unknown>, def: ServedResource['def']): void {
  const { apiVersion = '', kind = '' } = value;
  const want = apiVersionOf(def);
  if (kind === def.kind && apiVersion === want) return;
  if (kind === '' && apiVersion === '') return;
  const shown = describeKind(String(apiVersion), String(kind));
  if (apiVersion === '' || kind === '')
    throw badRequest(`Object '${kind === '' ? 'Kind' : 'apiVersion'}' is missing in '${JSON.stringify(value)}'`);
  throw badRequest(
    `the API version in the data (${String(apiVersion)}) does not match the expected API version (${want})${apiVersion === want ? `: ${shown}` : ''}`,
  );
}

function describeKind(apiVersion: string, kind: string): string {
  return `${apiVersion}, Kind=${kind}`;
}

function inNamespace(object: Resource, namespace: string): Resource {
  const own = object.metadata.namespace ?? '';
  if (own === '') return { ...object, metadata: { ...object.metadata, namespace } };
  if (own === namespace) return object;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function isDryRun({ query }: Call): boolean {
  const values = query.getAll('dryRun').filter((one) => one !== '');
  for (const value of values) if (value !== 'All') throw invalidOption('dryRun', [value], ['All']);
  return values.length > 0;
}

/** Who writes: as it says, else the program's name. Throws Invalid for names that upstream does not take. */
function managerOf(call: Call): string {
  const given = call.query.get('fieldManager') ?? '';
  if (given === '') return (call.header('user-agent') ?? '').split('/')[0]?.slice(0, managerLengthMost) || 'unknown';
  const cause = (message: string) => [{ reason: 'FieldValueInvalid', message, field: 'fieldManager' }];
  const options = { group: 'meta.k8s.io', kind: 'CreateOptions' };
  if (given.length > managerLengthMost)
    throw invalid(options, '', cause(`Too long: may not be more than ${String(managerLengthMost)} bytes`));
  if (/[^\P{C}]/u.test(given))
    throw invalid(
      options,
      '',
      cause(`Invalid value: ${JSON.stringify(given)}: should only contain printable characters`),
    );
  return given;
}

function invalidOption(field: string, value: unknown, supported: readonly string[]): Error {
  const list = supported.map((one) => JSON.stringify(one)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`;
  const options = { group: 'meta.k8s.io', kind: 'CreateOptions' };
  return invalid(options, '', [{ reason: 'FieldValueNotSupported', message, field }]);
}
