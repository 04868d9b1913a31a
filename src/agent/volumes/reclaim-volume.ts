import { reasonOf } from '#base/errors.ts';
import { keyOf } from '#kube/client/client.ts';
import type { PersistentVolume } from '#kube/types/gen/core-v1.ts';

import { provisionedBy, provisioner } from './claims.ts';
import { dataFinalizer, holderOf, persistentVolumes, type ProvisionerContext } from './provisioner-context.ts';

/** Whether the data of a PersistentVolume was made here, by this node. */
export function isOwn({ metadata, spec }: PersistentVolume, nodeName: string): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const nodes = terms.flatMap(({ matchExpressions = [] }) => matchExpressions.flatMap(({ values = [] }) => values));
  return metadata.annotations?.[provisionedBy] === provisioner && nodes.includes(nodeName);
}

/**
 * Removes the data of a volume whose claim is gone, when its policy is Delete, and then the object; of one that was deleted
 * by hand the data stays when the policy is Retain. Throws while containers still hold the data: to be tried again.
 */
export async function reclaimVolume(
  volume: PersistentVolume,
  context: ProvisionerContext,
  signal: AbortSignal,
): Promise<void> {
  if (!isOwn(volume, context.nodeName)) return;
  const { metadata, spec, status } = volume;
  const isDeleted = metadata.deletionTimestamp !== undefined;
  const isDelete = spec?.persistentVolumeReclaimPolicy === 'Delete';
  const { name = '' } = metadata;
  if (!isDeleted && !(isDelete && status?.phase === 'Released')) {
    if (context.volumes.find(name) !== undefined) context.volumes.hold(name, holderOf(name));
    return;
  }
  // A pod may still use what was deleted: its claim and its protection go first.
  const isProtected = metadata.finalizers?.includes('kubernetes.io/pv-protection') === true;
  if (isDeleted && (isProtected || status?.phase === 'Bound')) return;
  if (isDelete) await removeData(volume, context);
  await release(volume, context, signal);
}

async function removeData(volume: PersistentVolume, { volumes, record }: ProvisionerContext): Promise<void> {
  const { name = '' } = volume.metadata;
  volumes.release(name, holderOf(name));
  try {
    await volumes.remove(name, true);
  } catch (error) {
    volumes.hold(name, holderOf(name));
    if (reasonOf(error) === 'Conflict')
      record(volume, 'Warning', 'VolumeFailedDelete', `volume ${name} is still used by containers`);
    throw error;
  }
}

/** Lets the object go. */
async function release(volume: PersistentVolume, { client }: ProvisionerContext, signal: AbortSignal): Promise<void> {
  const key = keyOf(volume);
  const finalizers = (volume.metadata.finalizers ?? []).filter((finalizer) => finalizer !== dataFinalizer);
  const body = { metadata: { finalizers, resourceVersion: volume.metadata.resourceVersion } };
  try {
    await client.patch(persistentVolumes, key, { type: 'merge', body }, {}, signal);
    if (volume.metadata.deletionTimestamp === undefined) await client.delete(persistentVolumes, key, {}, signal);
  } catch (error) {
    if (reasonOf(error) !== 'NotFound') throw error;
  }
}
