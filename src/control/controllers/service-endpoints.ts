import { isEqualJson } from '#base/json.ts';
import { matchesLabels, selectionOfMap } from '#kube/selectors/label-selector.ts';
import type { Container, Node, Pod, Service, ServicePort } from '#kube/types/gen/core-v1.ts';
import type { Endpoint, EndpointPort } from '#kube/types/gen/discovery-v1.ts';

import { isPodFinished, isPodGoing, isPodReady } from './pod-state.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that are reached by the same ports. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** The endpoints of a service among pods of its namespace, by the ports that each of them gives the service's ports. */
export function serviceEndpoints(
  service: Service,
  pods: readonly Pod[],
  addressType: AddressType,
  nodeNamed: (name: string) => Node | undefined,
): EndpointGroup[] {
  const groups: { ports: EndpointPort[]; endpoints: Endpoint[] }[] = [];
  for (const pod of podsBehind(service, pods)) {
    const address = addressOf(pod, addressType);
    const ports = portsOf(service, pod);
    if (address === undefined || (ports.length === 0 && !isHeadlessWithoutPorts(service))) continue;
    let group = groups.find((one) => isEqualJson(one.ports, ports));
    if (group === undefined) groups.push((group = { ports, endpoints: [] }));
    group.endpoints.push(endpointOf(service, pod, address, nodeNamed));
  }
  return groups;
}

/** Pods that a service's selector means and that may get connections, now or soon; those that go are among them. */
export function podsBehind({ spec }: Service, pods: readonly Pod[]): Pod[] {
  const selection = selectionOfMap(spec?.selector);
  return pods.filter((pod) => matchesLabels(selection, pod.metadata.labels) && !isPodFinished(pod));
}

/** The pod's address of a family. */
export function addressOf({ status }: Pod, addressType: AddressType): string | undefined {
  const all = status?.podIPs ?? (status?.podIP === undefined ? [] : [{ ip: status.podIP }]);
  return all.map(({ ip = '' }) => ip).find((ip) => ip !== '' && ip.includes(':') === (addressType === 'IPv6'));
}

/** Ports of a pod for those of the service; a named one that the pod has not is left out. */
export function portsOf({ spec }: Service, pod: Pod): EndpointPort[] {
  return (spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(servicePort, pod);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === 'None';
}

export function isHeadlessWithoutPorts(service: Service): boolean {
  return isHeadless(service) && (service.spec?.ports ?? []).length === 0;
}

/** The name by which DNS knows the pod below the service. */
export function hostnameOf({ metadata }: Service, { spec }: Pod): string | undefined {
  const { hostname = '', subdomain } = spec ?? {};
  return hostname !== '' && subdomain === metadata.name ? hostname : undefined;
}

/**
 * When what the endpoints show happened: the service was made, or a pod began or ceased to be ready. RFC 3339; the
 * latest of these.
 */
export function triggerTime({ metadata }: Service, pods: readonly Pod[]): string | undefined {
  const times = pods.flatMap(({ status }) =>
    (status?.conditions ?? [])
      .filter(({ type }) => type === 'Ready')
      .map(({ lastTransitionTime }) => lastTransitionTime),
  );
  return [metadata.creationTimestamp, ...times]
    .filter((time) => typeof time === 'string')
    .toSorted()
    .at(-1);
}

function endpointOf(
  service: Service,
  pod: Pod,
  address: string,
  nodeNamed: (name: string) => Node | undefined,
): Endpoint {
  const serving = isPodReady(pod);
  const terminating = isPodGoing(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { namespace, name, uid } = pod.metadata;
  const nodeName = pod.spec?.nodeName ?? '';
  const zone = nodeNamed(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
  const hostname = hostnameOf(service, pod);
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === '' ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
    },
    ...(zone === '' ? {} : { zone }),
  };
}

function targetPort({ targetPort: target, port, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (target === undefined || target === 0 || target === '') return port;
  if (typeof target === 'number') return target;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...sidecars];
  return containers
    .flatMap(({ ports = [] }) => ports)
    .find((one) => one.name === target && (one.protocol ?? 'TCP') === protocol)?.containerPort;
}
