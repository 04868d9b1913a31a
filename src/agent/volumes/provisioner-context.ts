import type { Volumes } from '#engine/volumes/volumes.ts';
import type { Client } from '#kube/client/client.ts';
import { kindOf } from '#kube/client/client.ts';
import { persistentVolumeClaim } from '#kube/kinds/core/persistent-volume-claim.ts';
import { persistentVolume } from '#kube/kinds/core/persistent-volume.ts';
import { storageClass } from '#kube/kinds/storage/storage-class.ts';
import type { Resource } from '#kube/resource.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';
import type { StorageClass } from '#kube/types/gen/storage-v1.ts';

export const claims = kindOf<PersistentVolumeClaim>(persistentVolumeClaim);
export const persistentVolumes = kindOf<PersistentVolume>(persistentVolume);
export const storageClasses = kindOf<StorageClass>(storageClass);

/** Keeps a PersistentVolume until its data is gone from this node. */
export const dataFinalizer = 'slipway.dev/local-path';
/** Marks the engine's volumes that are data of PersistentVolumes, with the claim that they were made for. */
export const claimLabel = 'slipway.dev/claim';

export interface ProvisionerContext {
  readonly client: Client;
  readonly volumes: Pick<
    Volumes,
    'find' | 'list' | 'create' | 'remove' | 'resize' | 'hold' | 'release' | 'open' | 'close'
  >;
  /** Volumes are made for claims whose pods run here. */
  readonly nodeName: string;
  /** Tells an event about an object. */
  readonly record: (object: Resource, type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** Who keeps the engine from removing the data of a PersistentVolume with other unused volumes. */
export function holderOf(name: string): string {
  return `persistent-volume:${name}`;
}
