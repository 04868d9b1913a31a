import { isDeepStrictEqual } from 'node:util';

import { ApiError } from '#kube/status.ts';
import type { ResourceQuota } from '#kube/types/gen/core-v1.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';
import { countedResources, countUsage } from './count-usage.ts';
import { resourceQuotas } from './resource-quota.ts';

export interface QuotaOptions {
  readonly objects: Objects;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

/**
 * Counts quotas again when they are new or changed, and when something of their namespace has gone or ended: admission only
 * adds. Kinds are followed from the moment a quota counts them. Runs until the signal aborts.
 */
export async function runQuotas(options: QuotaOptions, signal: AbortSignal): Promise<void> {
  const { objects, onError } = options;
  const quotas = new Map<string, ResourceQuota>();
  const followed = new Set<string>();
  const recount = async (quota: ResourceQuota): Promise<void> => {
    await recountQuota(options, quota, signal).catch((error: unknown) => (signal.aborted ? undefined : onError(error)));
  };
  const recountNamespace = async (namespace: string): Promise<void> => {
    for (const quota of quotas.values()) if (quota.metadata.namespace === namespace) await recount(quota);
  };
  for await (const { type, object } of objects.follow(resourceQuotas, signal)) {
    if (object === undefined) continue;
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    if (type === 'remove') {
      quotas.delete(key);
      continue;
    }
    const quota = object as ResourceQuota;
    const isNew = !isDeepStrictEqual(quotas.get(key)?.spec, quota.spec);
    quotas.set(key, quota);
    for (const of of countedResources(Object.keys(quota.spec?.hard ?? {}))) {
      if (followed.has(`${of.group}/${of.resource}`)) continue;
      followed.add(`${of.group}/${of.resource}`);
      followReleases(objects, of, recountNamespace, signal).catch((error: unknown) =>
        signal.aborted ? undefined : onError(error),
      );
    }
    if (isNew) await recount(quota);
  }
}

/** Tells namespaces in which an object has gone, or a pod has ended. */
async function followReleases(
  objects: Objects,
  of: ResourceName,
  onRelease: (namespace: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let isSynced = false;
  for await (const { type, object } of objects.follow(of, signal)) {
    isSynced ||= type === 'synced';
    const phase = (object as { status?: { phase?: string } } | undefined)?.status?.phase ?? '';
    const isRelease = type === 'remove' || ['Succeeded', 'Failed'].includes(phase);
    if (isSynced && isRelease && object !== undefined) await onRelease(object.metadata.namespace ?? '');
  }
}

/** A conflict means that a newer state is on its way here; what was reserved meanwhile must not be lost. */
async function recountQuota(
  { objects, nowMs }: QuotaOptions,
  stale: ResourceQuota,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '' } = stale.metadata;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const quota: ResourceQuota | undefined = await objects.get(resourceQuotas, namespace, name, signal);
    if (quota === undefined) return;
    const status = { hard: quota.spec?.hard ?? {}, used: await countUsage(objects, quota, nowMs(), signal) };
    if (isDeepStrictEqual(quota.status, status)) return;
    try {
      await objects.update(resourceQuotas, { ...quota, status }, signal);
      return;
    } catch (error) {
      if (!(error instanceof ApiError && error.statusReason === 'Conflict')) throw error;
    }
  }
}
