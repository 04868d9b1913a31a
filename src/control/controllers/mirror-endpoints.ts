import { keyOf, type ObjectKey } from '#kube/client/client.ts';
import type { Endpoints, EndpointAddress, Service } from '#kube/types/gen/core-v1.ts';
import type { Endpoint } from '#kube/types/gen/discovery-v1.ts';

import { type Controller, inputOf, ownedBy, type Outcome, type World } from '../controller.ts';
import { services } from './endpoint-slice.ts';
import { endpointsManagedByLabel, endpointsObjects } from './endpoints.ts';
import type { AddressType, EndpointGroup } from './service-endpoints.ts';
import {
  endpointSlices,
  lastAppliedAnnotation,
  managedByLabel,
  serviceNameLabel,
  triggerTimeAnnotation,
  writeSlices,
} from './write-slices.ts';

const manager = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const addressesMost = 1000;
const families: readonly AddressType[] = ['IPv4', 'IPv6'];

/** Shows Endpoints that somebody made for a service without a selector in slices, which is what networks read. */
export const endpointSliceMirroringController: Controller<Endpoints> = {
  name: 'endpointslice-mirroring',
  primary: endpointsObjects,
  inputs: [inputOf(services, (one) => [keyOf(one)]), ownedBy(endpointsObjects, endpointSlices)],
  outputs: [endpointSlices],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Endpoints>, signal: AbortSignal): Promise<Outcome> {
  const existing = world
    .informer(endpointSlices)
    .list(key.namespace)
    .filter(
      ({ metadata: { labels } }) => labels?.[serviceNameLabel] === key.name && labels[managedByLabel] === manager,
    );
  const one = world.primary.get(key);
  if (one === undefined || !isMirrored(one, world.informer(services).get(key))) {
    for (const slice of existing) await world.client.delete(endpointSlices, keyOf(slice), {}, signal);
    return {};
  }
  const { name = '', uid = '' } = one.metadata;
  const { [endpointsManagedByLabel]: _, ...labels } = one.metadata.labels ?? {};
  const { [lastAppliedAnnotation]: __, [triggerTimeAnnotation]: ___, ...annotations } = one.metadata.annotations ?? {};
  for (const addressType of families) {
    const wanted = {
      owner: one,
      ownerReference: { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true },
      addressType,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: manager },
      annotations,
      groups: mirroredGroups(one, addressType),
      most: addressesMost,
      isNoneEmpty: true,
    };
    const same = existing.filter((slice) => slice.addressType === addressType);
    await writeSlices(world.client, wanted, same, signal);
  }
  return {};
}

function isMirrored({ metadata: { labels, annotations } }: Endpoints, one: Service | undefined): boolean {
  if (labels?.[skipLabel] === 'true' || annotations?.[leaderAnnotation] !== undefined) return false;
  return one !== undefined && one.spec?.selector === undefined;
}

/** What slices show of Endpoints, of one family. */
function mirroredGroups({ subsets = [] }: Endpoints, addressType: AddressType): EndpointGroup[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const isOf = ({ ip = '' }: EndpointAddress): boolean => ip.includes(':') === (addressType === 'IPv6');
    const endpoints = [
      ...addresses.filter(isOf).map((address) => endpointOf(address, true)),
      ...notReadyAddresses.filter(isOf).map((address) => endpointOf(address, false)),
    ].slice(0, addressesMost);
    if (endpoints.length === 0) return [];
    return [{ ports: ports.map((port) => ({ ...port, name: port.name ?? '' })), endpoints }];
  });
}

function endpointOf({ ip = '', hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
