import { matchesTerms } from './node-matching.ts';
import { type Filter, PodRefusal, specOf } from './plugin.ts';

const elsewhere = [{ reason: "node(s) didn't match PersistentVolume's node affinity", isFinal: true }];

/** Claims whose volumes are made where the first pod runs; `volume.kubernetes.io/selected-node` says where that is. */
export const volumeBinding: Filter = {
  name: 'VolumeBinding',
  prepare: (info, view) => {
    const namespace = info.pod.metadata.namespace ?? '';
    const names = claimNames(info.pod.metadata.name ?? '', specOf(info));
    const bound = names.flatMap((name) => {
      const claim = view.claim(namespace, name);
      if (claim === undefined) throw new PodRefusal(`persistentvolumeclaim "${name}" not found`);
      if (claim.metadata.deletionTimestamp !== undefined)
        throw new PodRefusal(`persistentvolumeclaim "${name}" is being deleted`);
      const { volumeName = '', storageClassName = '' } = claim.spec ?? {};
      if (volumeName === '') {
        if (view.storageClass(storageClassName)?.volumeBindingMode !== 'WaitForFirstConsumer')
          throw new PodRefusal('pod has unbound immediate PersistentVolumeClaims');
        return [];
      }
      const volume = view.volume(volumeName);
      if (volume === undefined) throw new PodRefusal(`persistentvolume "${volumeName}" not found`);
      return [volume.spec?.nodeAffinity?.required?.nodeSelectorTerms];
    });
    if (bound.every((terms) => terms === undefined)) return undefined;
    return ({ node }) =>
      bound.every((terms) => terms === undefined || matchesTerms(terms, node)) ? undefined : elsewhere;
  },
};

/** The claims of a pod, those of its ephemeral volumes as well. */
export function claimNames(podName: string, { volumes = [] }: ReturnType<typeof specOf>): readonly string[] {
  return volumes.flatMap(({ name = '', persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName ?? ''];
    return ephemeral === undefined ? [] : [`${podName}-${name}`];
  });
}
