import { randomBelow } from '#base/ids.ts';
import type { OwnerReference, Resource } from '#kube/resource.ts';
import type { Pod, PodTemplateSpec } from '#kube/types/gen/core-v1.ts';

/** Those of apimachinery's names: none of them makes words. */
const letters = 'bcdfghjklmnpqrstvwxz2456789';
const longestBase = 57;

/** A pod of a template that the owner controls. It is named before the API server sees it, so that failures can name it. */
export function templatedPod({ metadata = {}, spec = {} }: PodTemplateSpec, owner: Resource): Pod {
  const { labels = {}, annotations = {}, finalizers } = metadata;
  const { name = '', namespace = '' } = owner.metadata;
  const generateName = `${name.slice(0, longestBase)}-`;
  const suffix = Array.from({ length: 5 }, () => letters[randomBelow(letters.length)]).join('');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName,
      name: `${generateName}${suffix}`,
      namespace,
      labels,
      annotations,
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec,
  };
}

/** Says that the owner controls what has this reference. */
export function controllerReference({ apiVersion, kind, metadata }: Resource): OwnerReference {
  const { name = '', uid = '' } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
