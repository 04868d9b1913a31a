import { type Client, keyOf, kindOf, type KindOf, type ObjectKey } from '#kube/client/client.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import type { Resource } from '#kube/resource.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf } from '../controller.ts';
import { claims, volumes } from './claim-binder.ts';
import { isPodFinished } from './pod-state.ts';

const pods = kindOf<Pod>(pod);

/** Keeps claims that pods use from going. */
export const claimProtection: Controller<PersistentVolumeClaim> = {
  name: 'persistentvolumeclaim-protection',
  primary: claims,
  inputs: [inputOf(pods, (one) => claimsOf(one))],
  outputs: [claims],
  reconcile: async (key, world, signal) => {
    const claim = world.primary.get(key);
    if (claim === undefined) return {};
    const isUsedBy = (one: Pod): boolean =>
      one.spec?.nodeName !== undefined && !isPodFinished(one) && claimsOf(one).some(({ name }) => name === key.name);
    // Asked anew where it matters: the pod that uses it may be younger than what is in memory.
    const isAsked =
      claim.metadata.deletionTimestamp !== undefined && !world.informer(pods).list(key.namespace).some(isUsedBy);
    const now = isAsked ? (await world.client.list(pods, { namespace: key.namespace }, signal)).items : [];
    const isUsed = !isAsked || now.some(isUsedBy);
    await protect(world.client, claims, claim, 'kubernetes.io/pvc-protection', isUsed, signal);
    return {};
  },
};

/** Keeps volumes that are bound from going. */
export const volumeProtection: Controller<PersistentVolume> = {
  name: 'persistentvolume-protection',
  primary: volumes,
  inputs: [],
  outputs: [volumes],
  reconcile: async (key, world, signal) => {
    const volume = world.primary.get(key);
    if (volume === undefined) return {};
    const isUsed = volume.status?.phase === 'Bound';
    await protect(world.client, volumes, volume, 'kubernetes.io/pv-protection', isUsed, signal);
    return {};
  },
};

async function protect(
  client: Client,
  kind: KindOf,
  object: Resource,
  finalizer: string,
  isUsed: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { finalizers = [], deletionTimestamp, resourceVersion } = object.metadata;
  const isGoing = deletionTimestamp !== undefined;
  const isThere = finalizers.includes(finalizer);
  if (isGoing ? !isThere || isUsed : isThere) return;
  const next = isGoing ? finalizers.filter((one) => one !== finalizer) : [...finalizers, finalizer];
  const body = { metadata: { resourceVersion, finalizers: next } };
  await client.patch(kind, keyOf(object), { type: 'merge', body }, {}, signal);
}

function claimsOf({ metadata, spec }: Pod): ObjectKey[] {
  return (spec?.volumes ?? []).flatMap(({ name = '', persistentVolumeClaim, ephemeral }) => {
    const own = ephemeral === undefined ? undefined : `${metadata.name ?? ''}-${name}`;
    const claimName = persistentVolumeClaim?.claimName ?? own;
    return claimName === undefined ? [] : [{ namespace: metadata.namespace ?? '', name: claimName }];
  });
}
