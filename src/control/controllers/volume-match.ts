import { compareQuantities, parseQuantity } from '#formats/quantity.ts';
import { matchesLabels, selectionOf } from '#kube/selectors/label-selector.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';

/** Whether a volume was set aside for a claim, by name. */
export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { name, namespace, uid = '' } = spec?.claimRef ?? {};
  return name === metadata.name && namespace === metadata.namespace && (uid === '' || uid === metadata.uid);
}

/**
 * The volume for a claim: one that is reserved for it, or the smallest free one that gives what it asks for. With
 * `isReservedOnly` no other than a reserved one.
 */
export function matchVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  isReservedOnly: boolean,
): PersistentVolume | undefined {
  const fitting = volumes.filter((volume) => fits(claim, volume));
  const reserved = fitting.find((volume) => isReservedFor(volume, claim));
  if (reserved !== undefined || isReservedOnly) return reserved;
  const free = fitting.filter(
    ({ spec, status }) => spec?.claimRef === undefined && status?.phase !== 'Released' && status?.phase !== 'Failed',
  );
  return free.toSorted((one, other) => compareQuantities(capacityOf(one), capacityOf(other)))[0];
}

function fits({ spec: asked = {} }: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const { spec = {}, metadata } = volume;
  if (metadata.deletionTimestamp !== undefined) return false;
  if ((spec.storageClassName ?? '') !== (asked.storageClassName ?? '')) return false;
  if ((spec.volumeMode ?? 'Filesystem') !== (asked.volumeMode ?? 'Filesystem')) return false;
  if (!(asked.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode) === true)) return false;
  const request = parseQuantity(asked.resources?.requests?.['storage'] ?? '0');
  if (compareQuantities(capacityOf(volume), request) < 0) return false;
  return asked.selector === undefined || matchesLabels(selectionOf(asked.selector) ?? 'nothing', metadata.labels);
}

function capacityOf({ spec }: PersistentVolume) {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0');
}
