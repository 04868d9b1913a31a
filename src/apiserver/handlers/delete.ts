import { isObject } from '#base/json.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import { ApiError, badRequest, invalid } from '#kube/status.ts';

import type { Call, Reply } from '../http/call.ts';
import { isTrue, type ResourceRequest } from '../http/request-info.ts';
import { groupResourceOf, viewOf } from '../resources/served-resource.ts';
import { listObjects } from '../storage/list-objects.ts';
import { parseListOptions } from '../storage/list-options.ts';
import { selectionFor } from '../storage/selection.ts';
import { deleteObject, type Deletion } from '../writes/delete-object.ts';
import { storageOf } from '../writes/update-object.ts';
import type { ApiContext, ResourceCall } from './context.ts';
import { successReply } from './create.ts';
import { listReply, objectReply } from './object-replies.ts';
import { bodyOf, writeOptionsOf } from './write-call.ts';

/** Objects of a collection that are deleted at the same time. */
const deletionsAtOnce = 16;

export async function deleteResource(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { deletion, isDryRun } = await deletionOf(call);
  const options = { ...writeOptionsOf(call), ...(isDryRun ? { isDryRun } : {}) };
  const { namespace, name } = call.info;
  const { object, isGone } = await deleteObject(context, resource, { namespace, name }, deletion, options, signal);
  // Upstream shows what is still there, and says of the rest that it is gone.
  if (!isGone || resource.def.kind === 'Pod') return objectReply(call, resource, object, context.nowMs());
  const { group, resource: kind } = groupResourceOf(resource.def);
  const uid = object.metadata.uid ?? '';
  return successReply({ name, ...(group === '' ? {} : { group }), kind, uid });
}

export async function deleteCollection(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const { deletion, isDryRun } = await deletionOf(call);
  const options = { ...writeOptionsOf(call), ...(isDryRun ? { isDryRun } : {}) };
  const list = parseListOptions(call.query, false);
  const selection = selectionFor(list.labelSelector, list.fieldSelector, resource.def);
  const storage = storageOf(resource, '');
  const { namespace } = call.info;
  const page = await listObjects({ storage, view: viewOf(resource), namespace, options: list, selection }, signal);
  const limit = new ConcurrencyLimit(deletionsAtOnce);
  await Promise.all(
    page.objects.map(({ object: { metadata } }) =>
      limit.run(async () => {
        const target = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
        await deleteObject(context, resource, target, deletion, options, signal).catch((error: unknown) => {
          if (!(error instanceof ApiError) || error.statusReason !== 'NotFound') throw error;
        });
      }, signal),
    ),
  );
  return listReply(call, resource, page, context.nowMs());
}

interface DeletionRequest {
  readonly deletion: Deletion;
  readonly isDryRun: boolean;
}

/** From the body, else from the query. Throws BadRequest, Invalid. */
async function deletionOf(call: Call<ResourceRequest>): Promise<DeletionRequest> {
  const body = await call.readBody();
  const fields =
    body.length === 0 ? fromQuery(call.query) : await bodyOf(call, { group: '', version: 'v1', kind: 'DeleteOptions' });
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, preconditions, dryRun } = fields;
  if (orphanDependents !== undefined && propagationPolicy !== undefined)
    throw invalidOption(
      'propagationPolicy',
      propagationPolicy,
      'orphanDependents and deletionPropagation cannot be both set',
    );
  const propagation = propagationPolicy ?? (orphanDependents === true ? 'Orphan' : undefined);
  if (
    propagation !== undefined &&
    propagation !== 'Orphan' &&
    propagation !== 'Background' &&
    propagation !== 'Foreground'
  )
    throw invalidOption(
      'propagationPolicy',
      propagation,
      'Unsupported value: supported values: "Background", "Foreground", "Orphan"',
    );
  const { uid, resourceVersion } = isObject(preconditions) ? preconditions : {};
  return {
    deletion: {
      graceSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
      propagation: propagation ?? (orphanDependents === false ? 'Background' : undefined),
      uid: typeof uid === 'string' ? uid : undefined,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    },
    isDryRun: Array.isArray(dryRun) && dryRun.includes('All'),
  };
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?\d{1,15}$/.test(grace)) throw badRequest(`gracePeriodSeconds: invalid syntax: ${grace}`);
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    ...(query.has('propagationPolicy') ? { propagationPolicy: query.get('propagationPolicy') } : {}),
  };
}

function invalidOption(field: string, value: unknown, why: string): ApiError {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
  return invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
    { reason: 'FieldValueInvalid', message, field },
  ]);
}
