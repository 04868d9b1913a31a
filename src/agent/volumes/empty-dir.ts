import { compareQuantities, parseQuantity, type Quantity, quantityUnits } from '#formats/quantity.ts';
import type { EmptyDirVolumeSource, Pod } from '#kube/types/gen/core-v1.ts';

import type { PodFacts } from '../environment/pod-sources.ts';

/** Bytes of an emptyDir in memory: the least of its own limit, of what the pod may use, and of what the node can give. */
export function emptyDirBytes(pod: Pod, { sizeLimit }: EmptyDirVolumeSource, facts: PodFacts): number | undefined {
  const sizes = [sizeLimit, facts.allocatable['memory']].flatMap((text) =>
    text === undefined ? [] : [parseQuantity(text)],
  );
  const ofPod = memoryOf(pod);
  const [least] = [...sizes, ...(ofPod === undefined ? [] : [ofPod])]
    .filter(({ nanos }) => nanos > 0n)
    .sort(compareQuantities);
  return least === undefined ? undefined : Number(quantityUnits(least));
}

/** Bytes that a limit stands for. */
export function emptyDirLimit(sizeLimit: string): number {
  return Number(quantityUnits(parseQuantity(sizeLimit)));
}

/** What all containers may use together; undefined: one of them has no limit. */
function memoryOf({ spec }: Pod): Quantity | undefined {
  let nanos = 0n;
  for (const { resources } of spec?.containers ?? []) {
    const limit = resources?.limits?.['memory'];
    if (limit === undefined) return undefined;
    nanos += parseQuantity(limit).nanos;
  }
  return { nanos, format: 'BinarySI' };
}
