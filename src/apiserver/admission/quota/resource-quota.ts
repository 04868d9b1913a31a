import { KeyedLock } from '#base/keyed-lock.ts';
import { ApiError } from '#kube/status.ts';
import type { Pod, ResourceQuota } from '#kube/types/gen/core-v1.ts';

import type { Objects } from '../../auth/objects.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { refusal } from '../refusal.ts';
import { missingConstraints } from './constraints.ts';
import { countUsage } from './count-usage.ts';
import { isInScope } from './scopes.ts';
import { differenceOf, isOver, isPositive, sumAmounts, usageOf, type Amounts } from './usage.ts';

export const resourceQuotas = { group: '', resource: 'resourcequotas' };

/** Another server may write the same quota at the same time; then the newer state is read and checked again. */
const attemptsMost = 10;

/**
 * Lets a namespace have no more than its quotas say. What an object will take is written into the status of each quota before
 * the object is stored, one request of a namespace after the other; two servers meet at the resource version.
 */
export function resourceQuota(objects: Objects, nowMs: () => number): AdmissionPlugin {
  const lock = new KeyedLock();
  return {
    name: 'ResourceQuota',
    validate: async (request, signal) => {
      if (request.namespace === '' || request.subresource !== '' || !isWrite(request)) return;
      const change = changeOf(request, nowMs());
      if (Object.keys(change).length === 0) return;
      await lock.run(request.namespace, () => reserve(objects, request, change, nowMs(), signal));
    },
  };
}

async function reserve(
  objects: Objects,
  request: AdmissionRequest,
  change: Amounts,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  // A quota that has its share already must not get it twice when another one was written meanwhile.
  const done = new Set<string>();
  const nameOf = ({ metadata }: ResourceQuota): string => metadata.name ?? '';
  for (let attempt = 1; ; attempt += 1) {
    try {
      const all = (await objects.list(resourceQuotas, request.namespace, signal)) as readonly ResourceQuota[];
      const quotas = all.filter((quota) => !done.has(nameOf(quota)));
      const reserved = await Promise.all(
        quotas.map(async (quota) => await afterChange(objects, quota, request, change, nowMs, signal)),
      );
      if (request.isDryRun) return;
      for (const quota of reserved) {
        if (quota === undefined) continue;
        await objects.update(resourceQuotas, quota, signal);
        done.add(nameOf(quota));
      }
      return;
    } catch (error) {
      const isRace = error instanceof ApiError && error.statusReason === 'Conflict';
      if (!isRace || attempt === attemptsMost) throw error;
    }
  }
}

/** The quota with the change in its status; undefined when it does not count any of it. Throws ApiError Forbidden. */
async function afterChange(
  objects: Objects,
  quota: ResourceQuota,
  request: AdmissionRequest,
  change: Amounts,
  nowMs: number,
  signal: AbortSignal,
): Promise<ResourceQuota | undefined> {
  const { object } = request;
  if (object === undefined || !isInScope(quota, request.resource, object)) return undefined;
  const hard = quota.spec?.hard ?? {};
  checkConstraints(request, quota, hard);
  const counted = Object.fromEntries(Object.entries(change).filter(([name]) => hard[name] !== undefined));
  if (Object.keys(counted).length === 0) return undefined;
  // Until the quota has been counted once, its status says nothing.
  const used = hasStatus(quota, hard) ? (quota.status?.used ?? {}) : await countUsage(objects, quota, nowMs, signal);
  const after = sumAmounts([used, counted]);
  const exceeded = Object.keys(counted)
    .filter((name) => isPositive(counted[name] ?? '0') && isOver(after[name] ?? '0', hard[name] ?? '0'))
    .toSorted();
  if (exceeded.length > 0) {
    const list = (amounts: Amounts): string => exceeded.map((name) => `${name}=${amounts[name] ?? '0'}`).join(',');
    const name = quota.metadata.name ?? '';
    throw refusal(
      request,
      `exceeded quota: ${name}, requested: ${list(counted)}, used: ${list(used)}, limited: ${list(hard)}`,
    );
  }
  return { ...quota, status: { hard, used: { ...after } } };
}

function checkConstraints(request: AdmissionRequest, quota: ResourceQuota, hard: Amounts): void {
  const isNewPod =
    request.operation === 'CREATE' && request.resource.group === '' && request.resource.resource === 'pods';
  const missing = isNewPod ? missingConstraints(request.object as Pod, Object.keys(hard)) : '';
  if (missing !== '') throw refusal(request, `failed quota: ${quota.metadata.name ?? ''}: must specify ${missing}`);
}

/** What a write adds to what is there; the release by a deletion is counted when it has happened. */
function changeOf({ operation, resource, object, oldObject }: AdmissionRequest, nowMs: number): Amounts {
  if (object === undefined) return {};
  const now = usageOf(resource, object, nowMs);
  if (operation === 'CREATE') return now;
  return oldObject === undefined ? {} : differenceOf(now, usageOf(resource, oldObject, nowMs));
}

function isWrite({ operation, resource }: AdmissionRequest): boolean {
  // A quota's own status must not be counted against it while it is written.
  return operation === 'CREATE' || (operation === 'UPDATE' && resource.resource !== 'resourcequotas');
}

function hasStatus({ status }: ResourceQuota, hard: Amounts): boolean {
  return Object.keys(hard).every((name) => status?.used?.[name] !== undefined && status.hard?.[name] === hard[name]);
}
