import { chmodSync } from 'node:fs';

import { messageOf, reasonOf, StatusError } from '#base/errors.ts';
import { formatQuantity, parseQuantity, quantityUnits } from '#formats/quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

import { provisionedBy, provisioner } from './claims.ts';
import {
  claimLabel,
  dataFinalizer,
  holderOf,
  persistentVolumes,
  type ProvisionerContext,
} from './provisioner-context.ts';

const selectedNode = 'volume.kubernetes.io/selected-node';
/** Set by the binder when no volume that is there fits. */
const wantedFrom = 'volume.kubernetes.io/storage-provisioner';
/** The engine makes no smaller volume. */
const leastBytes = 4n * 1024n ** 2n;
const hostnameLabel = 'kubernetes.io/hostname';

/**
 * Makes the volume of a claim that waits for one of this node; idempotent, also after a crash between data and object. What
 * cannot be is told by an event on the claim. Throws when a later try may succeed.
 */
export async function provisionClaim(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  context: ProvisionerContext,
  signal: AbortSignal,
): Promise<void> {
  if (!isWanted(claim, storageClass, context.nodeName)) return;
  const name = volumeName(claim);
  const fullName = `${claim.metadata.namespace ?? ''}/${claim.metadata.name ?? ''}`;
  const tell = `External provisioner is provisioning volume for claim "${fullName}"`;
  try {
    checkClaim(claim);
    if (context.volumes.find(name) === undefined) context.record(claim, 'Normal', 'Provisioning', tell);
    const sizeBytes = await makeData(claim, context, signal);
    await context.client.create(
      persistentVolumes,
      volumeOf(claim, storageClass, sizeBytes, pathOf(name, context), context.nodeName),
      {},
      signal,
    );
    context.record(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
  } catch (error) {
    signal.throwIfAborted();
    // It was made before, and the binder has yet to see it.
    if (reasonOf(error) === 'Conflict') return;
    const what = `failed to provision volume with StorageClass "${storageClass.metadata.name ?? ''}": ${messageOf(error)}`;
    context.record(claim, 'Warning', 'ProvisioningFailed', what);
    if (reasonOf(error) !== 'NotSupported') throw error;
  }
}

function volumeName({ metadata }: PersistentVolumeClaim): string {
  return `pvc-${metadata.uid ?? ''}`;
}

function isWanted({ metadata, spec }: PersistentVolumeClaim, storageClass: StorageClass, nodeName: string): boolean {
  if ((spec?.volumeName ?? '') !== '' || metadata.deletionTimestamp !== undefined) return false;
  if (storageClass.provisioner !== provisioner) return false;
  const node = metadata.annotations?.[selectedNode];
  if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') return node === nodeName;
  return (node === undefined || node === nodeName) && metadata.annotations?.[wantedFrom] === provisioner;
}

function checkClaim({ spec }: PersistentVolumeClaim): void {
  const refuse = (why: string): never => {
    throw new StatusError('NotSupported', why);
  };
  if (spec?.volumeMode === 'Block') refuse('volumeMode Block: this class has filesystems only');
  if (spec?.selector !== undefined) refuse('claim Selector is not supported');
  if (spec?.dataSource !== undefined || spec?.dataSourceRef !== undefined) refuse('a dataSource is not supported');
}

/** The data with its limit; returns the bytes it may have. */
async function makeData(
  claim: PersistentVolumeClaim,
  { volumes }: ProvisionerContext,
  signal: AbortSignal,
): Promise<bigint> {
  const asked = quantityUnits(parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0'));
  const name = volumeName(claim);
  // What a try that was cut off has made is as large as was asked for then; the claim grows later.
  const made = volumes.find(name)?.options['size'];
  const sizeBytes = made === undefined ? (asked < leastBytes ? leastBytes : asked) : BigInt(made);
  const labels = { [claimLabel]: `${claim.metadata.namespace ?? ''}/${claim.metadata.name ?? ''}` };
  await volumes.create({ name, labels, options: { size: String(sizeBytes) } });
  volumes.hold(name, holderOf(name));
  const path = await volumes.open(name, holderOf(name), signal);
  try {
    // Whoever the pod's containers run as may write.
    chmodSync(path, 0o777);
  } finally {
    await volumes.close(name, holderOf(name));
  }
  return sizeBytes;
}

function pathOf(name: string, { volumes }: ProvisionerContext): string {
  return volumes.find(name)?.mountpoint ?? '';
}

function volumeOf(
  { metadata, spec }: PersistentVolumeClaim,
  storageClass: StorageClass,
  sizeBytes: bigint,
  path: string,
  nodeName: string,
): PersistentVolume {
  const { name = '', namespace = '', uid = '', resourceVersion = '' } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: `pvc-${uid}`,
      annotations: { [provisionedBy]: provisioner },
      finalizers: [dataFinalizer],
    },
    spec: {
      accessModes: spec?.accessModes ?? [],
      capacity: { storage: sizeText(sizeBytes) },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion },
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [nodeName] }] }],
        },
      },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name ?? '',
      volumeMode: 'Filesystem',
    },
  };
}

/** Bytes as people write sizes: `1Gi`. */
export function sizeText(sizeBytes: bigint): string {
  return formatQuantity({ nanos: sizeBytes * 1_000_000_000n, format: 'BinarySI' });
}
