import { availableParallelism } from 'node:os';

import { StatusError } from '#base/errors.ts';
import type { ContainerSpec, ResourceLimits, RestartPolicy } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';
import type { Call } from '../http/call.ts';
import type { Decoded } from '../http/decode.ts';
import type { Reply } from '../http/reply.ts';
import { json } from '../http/reply.ts';
import { updateRequest } from '../translate/create-request.ts';
import { checkRefusals } from '../translate/field.ts';
import type { Resources } from '../translate/host-config-fields.ts';
import { resourceFields } from '../translate/host-config-fields.ts';
import { resourceLimits, restartPolicy } from '../translate/limits.ts';
import { shownHostConfig } from '../translate/origin.ts';

const unchangeable = ['CgroupParent', 'Devices', 'Ulimits', 'OomKillDisable', 'MemorySwappiness'] as const;

/** POST /containers/{id}/update: what the request leaves out, or sets to its zero value, stays as it is. */
export async function updateReply({ engine }: Context, call: Call): Promise<Reply> {
  const request = await call.body.json(updateRequest);
  const { id, spec } = engine.containers.get(call.params['id'] ?? '');
  await engine.containers.update(id, containerChange(spec, request));
  return json({ Warnings: null });
}

/** What an update request means for a container. */
export function containerChange(
  spec: ContainerSpec,
  { RestartPolicy, ...request }: Decoded<typeof updateRequest>,
): { readonly limits?: ResourceLimits; readonly restart?: RestartPolicy } {
  checkRefusals(resourceFields, request, 'Resources');
  for (const name of unchangeable) {
    if (isSet(request[name])) {
      throw new StatusError('NotSupported', `Cannot update ${name} of a container: it is set when it is created`);
    }
  }
  const restart = (RestartPolicy?.Name ?? '') === '' ? undefined : restartPolicy(RestartPolicy ?? {});
  if (restart !== undefined && restart.name !== 'no' && spec.autoRemove) {
    throw new StatusError('InvalidArgument', 'Restart policy cannot be updated because AutoRemove is enabled');
  }
  const changesLimits = Object.values(request).some(isSet);
  return {
    ...(changesLimits && { limits: resourceLimits(mergeResources(spec, request), availableParallelism()) }),
    ...(restart !== undefined && { restart }),
  };
}

/** The resources as they will be. A new quota replaces one that was given in other terms. */
function mergeResources(spec: ContainerSpec, request: Resources): Resources {
  const changes = Object.fromEntries(Object.entries(request).filter(([, value]) => isSet(value))) as Resources;
  const { Memory = 0, NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0, PidsLimit } = changes;
  const shown = shownHostConfig(spec) as Resources;
  const names = Object.keys(resourceFields) as (keyof Resources)[];
  const present = Object.fromEntries(names.map((name) => [name, shown[name] ?? undefined])) as Resources;
  const inOtherTerms: Resources =
    NanoCpus > 0 ? { CpuQuota: 0, CpuPeriod: 0 } : CpuQuota > 0 || CpuPeriod > 0 ? { NanoCpus: 0 } : {};
  const presentSwap = present.MemorySwap ?? 0;
  if (Memory > 0 && presentSwap > 0 && Memory > presentSwap && (changes.MemorySwap ?? 0) === 0) {
    const way = 'update the memoryswap at the same time';
    throw new StatusError(
      'InvalidArgument',
      `Memory limit should be smaller than already set memoryswap limit, ${way}`,
    );
  }
  return { ...present, ...inOtherTerms, ...changes, ...(PidsLimit !== undefined && { PidsLimit }) };
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== 0 && value !== '' && value !== false;
}
