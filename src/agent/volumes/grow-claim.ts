import { messageOf } from '#base/errors.ts';
import { compareQuantities, parseQuantity, quantityUnits } from '#formats/quantity.ts';
import { keyOf } from '#kube/client/client.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';

import { sizeText } from './provision-claim.ts';
import { claims, persistentVolumes, type ProvisionerContext } from './provisioner-context.ts';
import { isOwn } from './reclaim-volume.ts';

/** Gives a bound claim the size that it asks for now, also while pods use it, and notes it in volume and claim. */
export async function growClaim(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  context: ProvisionerContext,
  signal: AbortSignal,
): Promise<void> {
  const { client, volumes, nodeName, record } = context;
  const asked = parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
  const has = parseQuantity(volume.spec?.capacity?.['storage'] ?? '0');
  const noted = parseQuantity(claim.status?.capacity?.['storage'] ?? '0');
  if (claim.status?.phase !== 'Bound' || !isOwn(volume, nodeName)) return;
  const { name = '' } = volume.metadata;
  if (compareQuantities(asked, has) > 0) {
    const storage = sizeText(quantityUnits(asked));
    try {
      await volumes.resize(name, String(quantityUnits(asked)));
    } catch (error) {
      record(claim, 'Warning', 'VolumeResizeFailed', `resize volume "${name}" failed: ${messageOf(error)}`);
      throw error;
    }
    const body = { spec: { capacity: { storage } } };
    await client.patch(persistentVolumes, keyOf(volume), { type: 'merge', body }, {}, signal);
    await noteSize(claim, storage, context, signal);
    record(
      claim,
      'Normal',
      'FileSystemResizeSuccessful',
      `MountVolume.NodeExpandVolume succeeded for volume "${name}"`,
    );
  } else if (compareQuantities(has, noted) > 0 && compareQuantities(noted, asked) < 0)
    await noteSize(claim, sizeText(quantityUnits(has)), context, signal);
}

async function noteSize(
  claim: PersistentVolumeClaim,
  storage: string,
  { client }: ProvisionerContext,
  signal: AbortSignal,
): Promise<void> {
  const body = { status: { capacity: { storage } } };
  await client.patch(claims, keyOf(claim), { type: 'merge', body }, { subresource: 'status' }, signal);
}
