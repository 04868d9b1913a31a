import { StatusError } from '#base/errors.ts';
import { newId } from '#base/ids.ts';
import type { Volumes } from '#engine/volumes/volumes.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#kube/types/gen/core-v1.ts';

import { prepareHostPath } from './host-path.ts';
import type { OpenedVolume } from './opened-volume.ts';

/** Who makes volumes of the class `local-path`. */
export const provisioner = 'slipway.dev/local-path';
export const provisionedBy = 'pv.kubernetes.io/provisioned-by';

export interface ClaimSources {
  claim(namespace: string, name: string, signal: AbortSignal): Promise<PersistentVolumeClaim | undefined>;
  persistentVolume(name: string, signal: AbortSignal): Promise<PersistentVolume | undefined>;
}

/** The volumes that claims are bound to, as far as they are on this node. */
export class Claims {
  readonly #sources: ClaimSources;
  readonly #volumes: Pick<Volumes, 'find' | 'open' | 'close'>;

  constructor(sources: ClaimSources, volumes: Pick<Volumes, 'find' | 'open' | 'close'>) {
    this.#sources = sources;
    this.#volumes = volumes;
  }

  /** Where a claim's data is. Throws in upstream's words while it is not bound, NotSupported for data elsewhere. */
  async open(pod: Pod, name: string, signal: AbortSignal): Promise<OpenedVolume> {
    const namespace = pod.metadata.namespace ?? '';
    const claim = await this.#sources.claim(namespace, name, signal);
    if (claim === undefined) throw new StatusError('NotFound', `persistentvolumeclaim "${name}" not found`);
    const volumeName = claim.spec?.volumeName ?? '';
    if (claim.status?.phase !== 'Bound' || volumeName === '')
      throw new StatusError('Unavailable', `PVC ${namespace}/${name} is not bound`);
    const volume = await this.#sources.persistentVolume(volumeName, signal);
    if (volume === undefined) throw new StatusError('NotFound', `persistentvolume "${volumeName}" not found`);
    if (volume.spec?.claimRef?.uid !== claim.metadata.uid)
      throw new StatusError('Conflict', `PV "${volumeName}" is bound to another claim than ${namespace}/${name}`);
    return this.#opened(volume);
  }

  /** Runs work on the data of one of the engine's volumes, which stays mounted meanwhile. */
  async withFolder(name: string, work: (path: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    const user = `group-${newId().slice(0, 12)}`;
    const path = await this.#volumes.open(name, user, signal);
    try {
      await work(path);
    } finally {
      await this.#volumes.close(name, user);
    }
  }

  #opened(volume: PersistentVolume): OpenedVolume {
    const { name = '', annotations } = volume.metadata;
    const { accessModes = [], hostPath, local, volumeMode } = volume.spec ?? {};
    const readOnly = accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany');
    if (volumeMode === 'Block')
      throw new StatusError('NotSupported', `PV "${name}" is a block volume, which cannot be mounted on this node`);
    if (annotations?.[provisionedBy] === provisioner) {
      if (this.#volumes.find(name) === undefined)
        throw new StatusError('NotFound', `the data of PV "${name}" is not on this node`);
      return { kind: 'engine', name, readOnly };
    }
    const path = hostPath?.path ?? local?.path;
    if (path === undefined) {
      const kinds = Object.keys(volume.spec ?? {}).join(', ');
      throw new StatusError('NotSupported', `PV "${name}" is of a kind that cannot be mounted on this node (${kinds})`);
    }
    prepareHostPath(path, local === undefined ? (hostPath?.type ?? '') : 'Directory');
    return { kind: 'folder', path, readOnly };
  }
}
