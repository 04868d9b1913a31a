import { required } from '#base/assert.ts';
import { isObject } from '#base/json.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOf, type SelectorObject } from '#kube/selectors/label-selector.ts';
import { ApiError, notFound } from '#kube/status.ts';

import { jsonReply, type Reply } from '../http/call.ts';
import { deleteObject, type Deletion } from '../writes/delete-object.ts';
import { timeText } from '../writes/object-meta.ts';
import { storageOf, updateObject } from '../writes/update-object.ts';
import { admitPart } from './admit-part.ts';
import { asResource, type ApiContext, type ResourceCall } from './context.ts';
import { bodyOf, writeOptionsOf } from './write-call.ts';

interface Budget {
  readonly spec?: { readonly selector?: SelectorObject; readonly unhealthyPodEvictionPolicy?: string };
  readonly status?: {
    readonly disruptionsAllowed?: number;
    readonly observedGeneration?: number;
    readonly desiredHealthy?: number;
    readonly currentHealthy?: number;
    readonly disruptedPods?: Readonly<Record<string, string>>;
  };
}

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** More pods than this that are on their way out mean that the disruption controller is behind. */
const disruptedPodsMost = 2000;
/** Of a budget that the disruption controller has not looked at yet; otherwise clients wait as they like. */
const retryAfterSeconds = 10;

/** Deletes a pod when its disruption budget allows it (policy/v1 Eviction). */
export async function evictPod(
  context: ApiContext,
  { call, resource }: ResourceCall,
  signal: AbortSignal,
): Promise<Reply> {
  const sent = await bodyOf(call, { group: 'policy', version: 'v1', kind: 'Eviction' });
  const body = asResource({ ...sent, kind: 'Eviction', apiVersion: 'policy/v1' });
  const { namespace, name } = call.info;
  const stored = await storageOf(resource, name).get(namespace, name, signal);
  if (stored === undefined) throw notFound({ group: '', resource: 'pods' }, name);
  const eviction = await admitPart(context, call, resource, body, signal);
  const options = writeOptionsOf(call);
  const given = isObject(eviction['deleteOptions']) ? eviction['deleteOptions'] : {};
  const isDryRun = options.isDryRun || (Array.isArray(given['dryRun']) && given['dryRun'].includes('All'));
  if (!needsNoBudget(stored.object)) await useBudget(context, { call, resource }, stored.object, isDryRun, signal);
  const deletion = deletionOf(given);
  const deleteOptions = { ...options, isDryRun, subresource: '' };
  await deleteObject(context, resource, { namespace, name }, deletion, deleteOptions, signal);
  return jsonReply({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201);
}

function deletionOf(given: Readonly<Record<string, unknown>>): Deletion {
  const { gracePeriodSeconds, preconditions } = given;
  const { uid, resourceVersion } = isObject(preconditions) ? preconditions : {};
  return {
    graceSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
    propagation: undefined,
    uid: typeof uid === 'string' ? uid : undefined,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
  };
}

/** Pods that do not run, or are going already, count for no budget. */
function needsNoBudget({ metadata, ...pod }: Resource): boolean {
  const { phase = '' } = (pod['status'] ?? {}) as PodStatus;
  return metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(phase);
}

async function useBudget(
  context: ApiContext,
  { call }: ResourceCall,
  pod: Resource,
  isDryRun: boolean,
  signal: AbortSignal,
): Promise<void> {
  const budgets = required(context.resources.find('policy', 'v1', 'poddisruptionbudgets'), 'the resource of budgets');
  const storage = storageOf(budgets, '');
  await storage.fresh(signal);
  const own = storage.cache
    .list(storage.prefixOf(call.info.namespace))
    .filter(({ object }) => covers(object as unknown as Budget, pod));
  if (own.length > 1)
    throw new ApiError(
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const [found] = own;
  if (found === undefined) return;
  const name = found.object.metadata.name ?? '';
  const options = { ...writeOptionsOf(call), isDryRun, subresource: 'status' };
  const update = {
    namespace: call.info.namespace,
    name,
    optionsKind: 'UpdateOptions',
    change: (budget: Resource) => withDisruption(budget, pod, context.nowMs()),
  } as const;
  await updateObject(context, budgets, update, options, signal);
}

function covers({ spec }: Budget, pod: Resource): boolean {
  const selection = selectionOf(spec?.selector);
  return selection !== undefined && matchesLabels(selection, pod.metadata.labels);
}

/** The budget after one more pod has gone (registry/core/pod/rest/eviction.go). Throws TooManyRequests. */
function withDisruption(object: Resource, pod: Resource, nowMs: number): Resource {
  const { spec, status } = object as unknown as Budget;
  const { metadata } = object;
  const { disruptionsAllowed = 0, disruptedPods = {}, currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  const isUnready = !isReady(pod);
  if (isUnready && spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return object;
  if (isUnready && currentHealthy >= desiredHealthy && desiredHealthy > 0) return object;
  const name = metadata.name ?? '';
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, { retryAfterSeconds });
  if (Object.keys(disruptedPods).length > disruptedPodsMost)
    throw tooMany('DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  if (disruptionsAllowed <= 0)
    throw tooMany(
      `The disruption budget ${name} needs ${String(desiredHealthy)} healthy pods and has ${String(currentHealthy)} currently`,
    );
  return {
    ...object,
    status: {
      ...status,
      disruptionsAllowed: disruptionsAllowed - 1,
      disruptedPods: { ...disruptedPods, [pod.metadata.name ?? '']: timeText(nowMs) },
    },
  };
}

function isReady(pod: Resource): boolean {
  const { conditions = [] } = (pod['status'] ?? {}) as PodStatus;
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function tooMany(why: string, more: { readonly retryAfterSeconds?: number } = {}): ApiError {
  return new ApiError('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: why }],
    ...more,
  });
}
