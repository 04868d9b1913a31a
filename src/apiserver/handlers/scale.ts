import { required } from '#base/assert.ts';
import { isObject } from '#base/json.ts';
import type { Tree } from '#kube/patch/json-tree.ts';
import { scaleColumns } from '#kube/printing/scale-columns.ts';
import type { Resource } from '#kube/resource.ts';
import { builtinSchema } from '#kube/schemas/builtin-schemas.ts';
import { selectionOf, selectionOfMap, selectionText } from '#kube/selectors/label-selector.ts';
import { badRequest, conflict, invalid, notFound } from '#kube/status.ts';

import type { Call, Reply } from '../http/call.ts';
import { groupResourceOf, viewOne, type ServedResource } from '../resources/served-resource.ts';
import { storageOf, updateObject, type Update } from '../writes/update-object.ts';
import { asResource, type ApiContext, type ResourceCall } from './context.ts';
import { objectReply } from './object-replies.ts';
import { applierOf, applyType, bodyPatch } from './patch.ts';
import { bodyOf, contentTypeOf, decoded, writeOptionsOf } from './write-call.ts';

interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  /** Of a selector as text; empty: it is an object in the spec. */
  readonly selector: readonly string[];
}

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const builtinPaths: ScalePaths = { spec: ['spec', 'replicas'], status: ['status', 'replicas'], selector: [] };

/** GET, PUT and PATCH of autoscaling/v1 Scale, which shows and changes the number of replicas alone. */
export async function respondToScale(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { namespace, name, verb } = call.info;
  const paths = scalePathsOf(resource);
  if (verb === 'get') {
    const stored = await storageOf(resource, name).get(namespace, name, signal);
    if (stored === undefined) throw notFound(groupResourceOf(resource.def), name);
    return scaleReply(call, scaleOf((await viewOne(resource, stored, signal)).object, paths), context);
  }
  const optionsKind = verb === 'update' ? 'UpdateOptions' : 'PatchOptions';
  const isApply = contentTypeOf(call) === applyType && verb === 'patch';
  const change = isApply
    ? await applied(context, { call, resource }, paths, signal)
    : await changed({ call, resource }, paths);
  const options = { ...writeOptionsOf(call), isApply };
  const updated = await updateObject(context, resource, { namespace, name, optionsKind, change }, options, signal);
  return scaleReply(call, scaleOf(updated, paths), context);
}

function scaleReply(call: Call, scale: Tree, context: ApiContext): Reply | Promise<Reply> {
  return objectReply(call, { def: { columns: scaleColumns } }, asResource(scale), context.nowMs());
}

/** Where it has its numbers: custom resources say so in their definition, as `.spec.replicas`. */
function scalePathsOf({ custom }: ServedResource): ScalePaths {
  if (custom?.scalePaths === undefined) return builtinPaths;
  const { specReplicas, statusReplicas, labelSelector = '' } = custom.scalePaths;
  const fields = (path: string): readonly string[] => path.split('.').filter((field) => field !== '');
  return { spec: fields(specReplicas), status: fields(statusReplicas), selector: fields(labelSelector) };
}

async function changed({ call, resource }: ResourceCall, paths: ScalePaths): Promise<Update['change']> {
  if (call.info.verb === 'update') {
    const given = await bodyOf(call, scaleKind);
    return (current) => scaled(resource, current, given, paths);
  }
  const patch = await bodyPatch(call, resource);
  return (current) => scaled(resource, current, patch.apply(scaleOf(current, paths), scaleSchema()), paths);
}

/** An apply of a Scale is one of the number in its object, by a manager of the subresource. */
async function applied(
  { fields }: ApiContext,
  { call, resource }: ResourceCall,
  paths: ScalePaths,
  signal: AbortSignal,
): Promise<Update['change']> {
  const by = applierOf(call);
  const scale = decoded(call, await call.readBody(), 'application/yaml', scaleSchema(), scaleKind);
  const given = valueAt(scale, ['spec', 'replicas']);
  return async (current) => {
    // Checks what it says of its object.
    scaled(resource, current, scale, paths);
    const { apiVersion, kind } = current;
    const { name = '', namespace } = current.metadata;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
    const part = { apiVersion, kind, metadata };
    const wanted = given === undefined ? part : (withValue(part, paths.spec, given) as Resource);
    const next = await fields.apply(resource, current, wanted, by, signal);
    return valueAt(next, paths.spec) === undefined ? (withValue(next, paths.spec, 0) as Resource) : next;
  };
}

function scaled(resource: ServedResource, current: Resource, scale: Tree, paths: ScalePaths): Resource {
  const name = current.metadata.name ?? '';
  const metadata = isObject(scale['metadata']) ? scale['metadata'] : {};
  const version = metadata['resourceVersion'] ?? '';
  if (version !== '' && version !== current.metadata.resourceVersion)
    throw conflict(groupResourceOf(resource.def), name);
  if (metadata['name'] !== undefined && metadata['name'] !== name)
    throw badRequest(
      `the name of the object (${JSON.stringify(metadata['name'])}) does not match the name on the URL (${name})`,
    );
  const spec = isObject(scale['spec']) ? scale['spec'] : {};
  const replicas = spec['replicas'] ?? 0;
  if (typeof replicas !== 'number' || !Number.isSafeInteger(replicas) || replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
        field: 'spec.replicas',
      },
    ]);
  return withValue(current, paths.spec, replicas) as Resource;
}

function scaleOf(object: Resource, paths: ScalePaths): Tree {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = numberAt(object, paths.spec);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: numberAt(object, paths.status), ...selectorOf(object, paths.selector) },
  };
}

function selectorOf(object: Resource, path: readonly string[]): { readonly selector?: string } {
  if (path.length > 0) {
    const text = valueAt(object, path);
    return typeof text === 'string' ? { selector: text } : {};
  }
  const selector = valueAt(object, ['spec', 'selector']);
  if (!isObject(selector)) return {};
  const isPlain = object.kind === 'ReplicationController';
  const selection = isPlain ? selectionOfMap(selector as Record<string, string>) : selectionOf(selector);
  return selection === undefined ? {} : { selector: selectionText(selection) };
}

function numberAt(object: Resource, path: readonly string[]): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce((value: unknown, field) => (isObject(value) ? value[field] : undefined), object);
}

function withValue(object: unknown, path: readonly string[], value: unknown): unknown {
  const [field, ...rest] = path;
  if (field === undefined) return value;
  const fields = isObject(object) ? object : {};
  return { ...fields, [field]: withValue(fields[field], rest, value) };
}

function scaleSchema(): NonNullable<ReturnType<typeof builtinSchema>> {
  return required(builtinSchema(scaleKind.group, scaleKind.version, scaleKind.kind), 'the schema of Scale');
}
