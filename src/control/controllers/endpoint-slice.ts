import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { node } from '#kube/kinds/core/node.ts';
import { pod } from '#kube/kinds/core/pod.ts';
import { service } from '#kube/kinds/core/service.ts';
import type { Resource } from '#kube/resource.ts';
import { matchesLabels, selectionOfMap } from '#kube/selectors/label-selector.ts';
import type { Node, Pod, Service } from '#kube/types/gen/core-v1.ts';
import type { EndpointSlice } from '#kube/types/gen/discovery-v1.ts';

import { type Controller, inputOf, ownedBy, type Outcome, type World } from '../controller.ts';
import { type AddressType, isHeadless, podsBehind, serviceEndpoints, triggerTime } from './service-endpoints.ts';
import {
  endpointSlices,
  managedByLabel,
  serviceNameLabel,
  triggerTimeAnnotation,
  writeSlices,
} from './write-slices.ts';

export const services = kindOf<Service>(service);
export const pods = kindOf<Pod>(pod);
const nodes = kindOf<Node>(node);
export const headlessLabel = 'service.kubernetes.io/headless';
const manager = 'endpointslice-controller.k8s.io';
const endpointsMost = 100;

/** Shows, in slices, the pods behind each service that has a selector. */
export const endpointSliceController: Controller<Service> = {
  name: 'endpointslice',
  primary: services,
  inputs: [inputOf(pods, servicesOf), inputOf(nodes, () => []), ownedBy(services, endpointSlices)],
  outputs: [endpointSlices],
  reconcile,
};

/** Services whose selectors mean a pod. */
export function servicesOf({ metadata }: Pod, world: World<Resource>): ObjectKey[] {
  return world
    .informer(services)
    .list(metadata.namespace)
    .filter(({ spec }) => spec?.selector !== undefined && matchesLabels(selectionOfMap(spec.selector), metadata.labels))
    .map(keyOf);
}

async function reconcile(key: ObjectKey, world: World<Service>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  // Slices of a service that is gone are the garbage collector's, as are those of one that goes.
  if (one?.spec?.selector === undefined || one.metadata.deletionTimestamp !== undefined) return {};
  if (one.spec.type === 'ExternalName') return {};
  const all = world.informer(pods).list(key.namespace);
  const families = (one.spec.ipFamilies ?? ['IPv4']) as readonly AddressType[];
  const existing = world
    .informer(endpointSlices)
    .list(key.namespace)
    .filter(
      ({ metadata: { labels } }) => labels?.[serviceNameLabel] === key.name && labels[managedByLabel] === manager,
    );
  const nodeNamed = (name: string): Node | undefined => world.informer(nodes).get({ namespace: '', name });
  for (const addressType of families) {
    const time = triggerTime(one, podsBehind(one, all));
    const wanted = {
      owner: one,
      ownerReference: ownerReferenceOf(one),
      addressType,
      labels: labelsOf(one),
      annotations: time === undefined ? {} : { [triggerTimeAnnotation]: time },
      groups: serviceEndpoints(one, all, addressType, nodeNamed),
      most: endpointsMost,
    };
    const same = existing.filter((slice) => slice.addressType === addressType);
    await writeSlices(world.client, wanted, same, signal);
  }
  await removeOthers(world, existing, families, signal);
  return {};
}

async function removeOthers(
  { client }: World<Service>,
  existing: readonly EndpointSlice[],
  families: readonly AddressType[],
  signal: AbortSignal,
): Promise<void> {
  for (const { addressType, metadata } of existing) {
    if (families.some((family) => family === addressType)) continue;
    const key = { namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
    await client.delete(endpointSlices, key, {}, signal);
  }
}

function labelsOf(one: Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = one.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(one) ? { [headlessLabel]: '' } : {}),
    [serviceNameLabel]: one.metadata.name ?? '',
    [managedByLabel]: manager,
  };
}

function ownerReferenceOf({ metadata: { name = '', uid = '' } }: Service) {
  return { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true } as const;
}
