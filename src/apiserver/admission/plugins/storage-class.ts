import { compareQuantities, parseQuantity } from '#formats/quantity.ts';
import type { Resource } from '#kube/resource.ts';
import type { PersistentVolumeClaim } from '#kube/types/gen/core-v1.ts';
import type { Ingress } from '#kube/types/gen/networking-v1.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { isAbout, refusal } from '../refusal.ts';

const storageClasses = { group: 'storage.k8s.io', resource: 'storageclasses' };
const ingressClasses = { group: 'networking.k8s.io', resource: 'ingressclasses' };
const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** Claims that name no class get the default one. */
export function defaultStorageClass(objects: Objects): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'persistentvolumeclaims')) return;
      const claim = request.object as PersistentVolumeClaim;
      if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[betaClass] !== undefined) return;
      const name = await defaultOf(objects, storageClasses, 'storageclass.kubernetes.io/is-default-class', signal);
      if (name !== undefined) (claim.spec ??= {}).storageClassName = name;
    },
  };
}

/** Ingresses that name no class get the default one. */
export function defaultIngressClass(objects: Objects): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate: async (request, signal) => {
      if (request.operation !== 'CREATE' || !isAbout(request, 'networking.k8s.io', 'ingresses')) return;
      const ingress = request.object as Ingress;
      const isNamed = ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined;
      if (isNamed || ingress.spec?.ingressClassName !== undefined) return;
      const name = await defaultOf(objects, ingressClasses, 'ingressclass.kubernetes.io/is-default-class', signal);
      if (name !== undefined) (ingress.spec ??= {}).ingressClassName = name;
    },
  };
}

/** Claims grow only when their class says so. */
export function persistentVolumeClaimResize(objects: Objects): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate: async (request, signal) => {
      if (request.operation !== 'UPDATE' || !isAbout(request, '', 'persistentvolumeclaims')) return;
      const [claim, old] = [request.object as PersistentVolumeClaim, request.oldObject as PersistentVolumeClaim];
      if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
      const name = old.spec?.storageClassName ?? '';
      const found = name === '' ? undefined : await objects.get(storageClasses, '', name, signal);
      if (found?.['allowVolumeExpansion'] === true) return;
      const why = 'only dynamically provisioned pvc can be resized';
      throw refusal(request, `${why} and the storageclass that provisions the pvc must support resize`);
    },
  };
}

/** The name of the class with the annotation; of several the youngest, then the first by name. */
async function defaultOf(
  objects: Objects,
  of: ResourceName,
  annotation: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const classes = (await objects.list(of, '', signal)).filter(
    ({ metadata }) => metadata.annotations?.[annotation] === 'true',
  );
  const age = ({ metadata }: Resource): string => metadata.creationTimestamp ?? '';
  const [first] = classes.toSorted(
    (a, b) => age(b).localeCompare(age(a)) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''),
  );
  return first?.metadata.name;
}

function sizeOf(claim: PersistentVolumeClaim): ReturnType<typeof parseQuantity> {
  return parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
}
