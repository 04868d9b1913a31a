import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { persistentVolumeClaim } from '#kube/kinds/core/persistent-volume-claim.ts';
import { persistentVolume } from '#kube/kinds/core/persistent-volume.ts';
import { storageClass } from '#kube/kinds/storage/storage-class.ts';
import type { Resource } from '#kube/resource.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { events, type EventText, recordEvent } from './record-event.ts';
import { isReservedFor, matchVolume } from './volume-match.ts';

export const claims = kindOf<PersistentVolumeClaim>(persistentVolumeClaim);
export const volumes = kindOf<PersistentVolume>(persistentVolume);
const classes = kindOf<StorageClass>(storageClass);
const completed = 'pv.kubernetes.io/bind-completed';
const byController = 'pv.kubernetes.io/bound-by-controller';
const selectedNode = 'volume.kubernetes.io/selected-node';
const provisionerKeys = ['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner'];
const noProvisioner = 'kubernetes.io/no-provisioner';

type Claims = World<PersistentVolumeClaim>;

/** Gives claims the volumes that fit them, and asks for new ones where none does. */
export const claimBinder: Controller<PersistentVolumeClaim> = {
  name: 'persistentvolume-binder',
  primary: claims,
  inputs: [inputOf(volumes, waitingClaims), inputOf(classes, waitingClaims)],
  outputs: [claims, volumes, events],
  reconcile,
};

async function reconcile(key: ObjectKey, world: Claims, signal: AbortSignal): Promise<Outcome> {
  const claim = world.primary.get(key);
  if (claim === undefined) return {};
  const { volumeName = '', storageClassName = '' } = claim.spec ?? {};
  if (volumeName !== '') {
    await keepBound(claim, world.informer(volumes).get({ namespace: '', name: volumeName }), world, signal);
    return {};
  }
  if (claim.metadata.deletionTimestamp !== undefined) return {};
  const of =
    storageClassName === '' ? undefined : world.informer(classes).get({ namespace: '', name: storageClassName });
  const node = claim.metadata.annotations?.[selectedNode];
  const isDelayed = of?.volumeBindingMode === 'WaitForFirstConsumer';
  const volume = matchVolume(claim, world.informer(volumes).list(), isDelayed);
  if (volume !== undefined) {
    await bind(claim, volume, world, signal);
    return {};
  }
  await setPhase(claim, 'Pending', world, signal);
  if (isDelayed && node === undefined)
    await tell(
      claim,
      {
        type: 'Normal',
        reason: 'WaitForFirstConsumer',
        message: 'waiting for first consumer to be created before binding',
      },
      world,
      signal,
    );
  else await provision(claim, of, world, signal);
  return {};
}

async function provision(
  claim: PersistentVolumeClaim,
  of: StorageClass | undefined,
  world: Claims,
  signal: AbortSignal,
): Promise<void> {
  const name = claim.spec?.storageClassName ?? '';
  const message = 'no persistent volumes available for this claim and no storage class is set';
  if (name === '') return tell(claim, { type: 'Normal', reason: 'FailedBinding', message }, world, signal);
  const failed = (why: string): EventText => ({ type: 'Warning', reason: 'ProvisioningFailed', message: why });
  if (of === undefined) return tell(claim, failed(`storageclass.storage.k8s.io "${name}" not found`), world, signal);
  const { provisioner } = of;
  if (typeof provisioner !== 'string' || provisioner === noProvisioner)
    return tell(claim, failed(`no volume plugin matched name: ${noProvisioner}`), world, signal);
  if (provisionerKeys.some((key) => claim.metadata.annotations?.[key] !== provisioner)) {
    const annotations = Object.fromEntries(provisionerKeys.map((key) => [key, provisioner]));
    await world.client.patch(claims, keyOf(claim), { type: 'merge', body: { metadata: { annotations } } }, {}, signal);
    await tell(
      claim,
      {
        type: 'Normal',
        reason: 'ExternalProvisioning',
        message:
          `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
          'system administrator. If volume creation is delayed, please verify that the provisioner is running and ' +
          'correctly registered.',
      },
      world,
      signal,
    );
  }
}

/** The volume first: a claim must never show one that is not its own. */
async function bind(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  world: Claims,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = claim.metadata;
  const isReserved = volume.spec?.claimRef !== undefined;
  if (volume.spec?.claimRef?.uid !== uid) {
    const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion };
    const annotations = { ...volume.metadata.annotations, ...(isReserved ? {} : { [byController]: 'yes' }) };
    const metadata = { ...volume.metadata, annotations };
    await world.client.update(volumes, { ...volume, metadata, spec: { ...volume.spec, claimRef } }, {}, signal);
  }
  const isGiven = (claim.spec?.volumeName ?? '') !== '';
  const annotations = {
    ...claim.metadata.annotations,
    [completed]: 'yes',
    ...(isGiven ? {} : { [byController]: 'yes' }),
  };
  const metadata = { ...claim.metadata, annotations };
  const spec = { ...claim.spec, volumeName: volume.metadata.name ?? '' };
  const next = { ...claim, metadata, spec };
  const isSame = isEqualJson([claim.metadata.annotations, claim.spec], [annotations, spec]);
  const written = isSame ? claim : await world.client.update(claims, next, {}, signal);
  const { accessModes = [], capacity = {} } = volume.spec ?? {};
  const status = { ...written.status, phase: 'Bound', accessModes, capacity };
  if (!isEqualJson(written.status ?? {}, status))
    await world.client.update(claims, { ...written, status }, { subresource: 'status' }, signal);
}

async function keepBound(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume | undefined,
  world: Claims,
  signal: AbortSignal,
): Promise<void> {
  const wasBound = claim.metadata.annotations?.[completed] !== undefined;
  const isOurs = volume !== undefined && (volume.spec?.claimRef === undefined || isReservedFor(volume, claim));
  if (volume !== undefined && isOurs) {
    // Its size is its own business once it is bound: it may be growing.
    if (!wasBound || claim.status?.phase !== 'Bound') await bind(claim, volume, world, signal);
  } else if (!wasBound) await setPhase(claim, 'Pending', world, signal);
  else if (claim.status?.phase !== 'Lost') {
    const [reason, message] =
      volume === undefined
        ? ['ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']
        : ['ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly'];
    await setPhase(claim, 'Lost', world, signal);
    await tell(claim, { type: 'Warning', reason, message }, world, signal);
  }
}

async function setPhase(
  claim: PersistentVolumeClaim,
  phase: string,
  world: Claims,
  signal: AbortSignal,
): Promise<void> {
  if (claim.status?.phase === phase) return;
  const status = { ...claim.status, phase };
  await world.client.update(claims, { ...claim, status }, { subresource: 'status' }, signal);
}

async function tell(claim: PersistentVolumeClaim, text: EventText, world: Claims, signal: AbortSignal): Promise<void> {
  await recordEvent(world.client, 'persistentvolume-controller', claim, text, world.nowMs(), signal);
}

/** Claims that any volume or class may concern: those without a volume, and that of a volume. */
function waitingClaims(object: Resource, world: World<Resource>): ObjectKey[] {
  return world
    .informer(claims)
    .list()
    .filter(({ spec }) => (spec?.volumeName ?? '') === '' || spec?.volumeName === object.metadata.name)
    .map(keyOf);
}
