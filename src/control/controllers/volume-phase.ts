import { StatusError } from '#base/errors.ts';
import type { ObjectKey } from '#kube/client/client.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { claims, volumes } from './claim-binder.ts';

/** Says of each volume whether it is free, bound, or left over by a claim that is gone. */
export const volumePhaseController: Controller<PersistentVolume> = {
  name: 'persistentvolume-phase',
  primary: volumes,
  inputs: [
    inputOf(claims, ({ spec }) => (spec?.volumeName === undefined ? [] : [{ namespace: '', name: spec.volumeName }])),
  ],
  outputs: [volumes],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<PersistentVolume>, signal: AbortSignal): Promise<Outcome> {
  const volume = world.primary.get(key);
  if (volume === undefined) return {};
  const phase = await phaseOf(volume, world, signal);
  if (phase === undefined || volume.status?.phase === phase) return {};
  const status = { ...volume.status, phase };
  await world.client.update(volumes, { ...volume, status }, { subresource: 'status' }, signal);
  return {};
}

/** Undefined: it stays what it is. */
async function phaseOf(
  { metadata, spec, status }: PersistentVolume,
  world: World<PersistentVolume>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { uid = '', namespace = '', name = '' } = spec?.claimRef ?? {};
  if (uid === '') return 'Available';
  let claim = world.informer(claims).get({ namespace, name });
  if (claim?.metadata.uid !== uid) claim = await claimNow({ namespace, name }, world, signal);
  if (claim?.metadata.uid !== uid) return 'Released';
  if (claim.spec?.volumeName === metadata.name) return 'Bound';
  return status?.phase === undefined ? 'Available' : undefined;
}

/** Data may be removed for what this says: what is in memory is not enough. */
async function claimNow(
  key: ObjectKey,
  { client }: World<PersistentVolume>,
  signal: AbortSignal,
): Promise<PersistentVolumeClaim | undefined> {
  try {
    return await client.get(claims, key, signal);
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
