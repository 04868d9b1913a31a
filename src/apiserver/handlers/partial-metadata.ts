import type { Resource } from '#kube/resource.ts';

/** meta/v1 PartialObjectMetadata: an object without what its kind adds. */
export function partialObject({ metadata }: Resource): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

export function partialList(objects: readonly Resource[], metadata: object): object {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    items: objects.map(partialObject),
  };
}
