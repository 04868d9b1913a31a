import { isEqualJson } from '#base/json.ts';
import { keyOf, kindOf, type ObjectKey } from '#kube/client/client.ts';
import { endpoints as endpointsKind } from '#kube/kinds/core/endpoints.ts';
import type { Endpoints, EndpointAddress, EndpointSubset, Pod, Service } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, type World } from '../controller.ts';
import { headlessLabel, pods, services, servicesOf } from './endpoint-slice.ts';
import { isPodGoing, isPodReady } from './pod-state.ts';
import {
  type AddressType,
  addressOf,
  hostnameOf,
  isHeadless,
  isHeadlessWithoutPorts,
  podsBehind,
  portsOf,
  triggerTime,
} from './service-endpoints.ts';
import { triggerTimeAnnotation } from './write-slices.ts';

export const endpointsObjects = kindOf<Endpoints>(endpointsKind);
export const endpointsManagedByLabel = 'endpoints.kubernetes.io/managed-by';
const manager = 'endpoint-controller';
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
const addressesMost = 1000;

/** Shows the pods behind each service that has a selector in one object of the service's name. */
export const endpointsController: Controller<Service> = {
  name: 'endpoints',
  primary: services,
  inputs: [inputOf(pods, servicesOf), inputOf(endpointsObjects, (object) => [keyOf(object)])],
  outputs: [endpointsObjects],
  reconcile,
};

async function reconcile(key: ObjectKey, world: World<Service>, signal: AbortSignal): Promise<Outcome> {
  const one = world.primary.get(key);
  const current = world.informer(endpointsObjects).get(key);
  if (one === undefined) {
    // Somebody's own, such as those of leader elections, are not for us to take away.
    if (current?.metadata.labels?.[endpointsManagedByLabel] !== manager) return {};
    await world.client.delete(endpointsObjects, key, {}, signal);
    return {};
  }
  if (one.spec?.selector === undefined || one.spec.type === 'ExternalName') return {};
  const all = world.informer(pods).list(key.namespace);
  const subsets = subsetsOf(one, all);
  const labels = labelsOf(one);
  const isSame = isEqualJson(current?.subsets ?? [], subsets) && isEqualJson(current?.metadata.labels ?? {}, labels);
  if (current !== undefined && isSame) return {};
  const isTruncated = subsets.some((subset) => countOf(subset) >= addressesMost);
  const time = triggerTime(one, podsBehind(one, all));
  const { [triggerTimeAnnotation]: _, [overCapacityAnnotation]: __, ...kept } = current?.metadata.annotations ?? {};
  const annotations = {
    ...kept,
    ...(time === undefined ? {} : { [triggerTimeAnnotation]: time }),
    ...(isTruncated ? { [overCapacityAnnotation]: 'truncated' } : {}),
  };
  const metadata = { ...current?.metadata, ...key, labels, annotations };
  const next: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
  if (current === undefined) await world.client.create(endpointsObjects, next, {}, signal);
  else await world.client.update(endpointsObjects, next, {}, signal);
  return {};
}

/** Addresses by the ports that they have, ready ones apart, in an order that does not change by itself. */
function subsetsOf(service: Service, all: readonly Pod[]): EndpointSubset[] {
  const isAny = service.spec?.publishNotReadyAddresses === true;
  const [family = 'IPv4'] = (service.spec?.ipFamilies ?? []) as readonly AddressType[];
  const byPorts = new Map<string, EndpointSubset & { ready: EndpointAddress[]; notReady: EndpointAddress[] }>();
  let left = addressesMost;
  const behind = podsBehind(service, all).filter((pod) => isAny || !isPodGoing(pod));
  for (const pod of behind.toSorted((one, other) => Number(isPodReady(other)) - Number(isPodReady(one)))) {
    const ip = addressOf(pod, family);
    const ports = portsOf(service, pod).map(({ name = '', ...port }) => (name === '' ? port : { name, ...port }));
    if (ip === undefined || left === 0 || (ports.length === 0 && !isHeadlessWithoutPorts(service))) continue;
    left -= 1;
    const text = JSON.stringify(ports);
    const subset = byPorts.get(text) ?? { ports, ready: [], notReady: [] };
    byPorts.set(text, subset);
    (isAny || isPodReady(pod) ? subset.ready : subset.notReady).push(addressFor(service, pod, ip));
  }
  return [...byPorts]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { ports = [], ready, notReady }]) => ({
      ...(ready.length === 0 ? {} : { addresses: ready.toSorted(byAddress) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.toSorted(byAddress) }),
      ...(ports.length === 0 ? {} : { ports }),
    }));
}

function addressFor(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const hostname = hostnameOf(service, pod);
  const nodeName = pod.spec?.nodeName ?? '';
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === '' ? {} : { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function byAddress({ ip: one = '' }: EndpointAddress, { ip: other = '' }: EndpointAddress): number {
  return one < other ? -1 : Number(one > other);
}

function countOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): number {
  return addresses.length + notReadyAddresses.length;
}

function labelsOf(one: Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = one.metadata.labels ?? {};
  return { ...labels, [endpointsManagedByLabel]: manager, ...(isHeadless(one) ? { [headlessLabel]: '' } : {}) };
}
