import { parseAddress } from '#formats/ip-address.ts';

import type { Service, ServicePort, ServiceSpec } from '../../types/gen/core-v1.ts';
import { addressFaults, prefixFaults, specialAddressFaults } from '../../validation/addresses.ts';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { labelFaults, portFaults, qualifiedNameFaults, subdomainFaults } from '../../validation/names.ts';
import { type Faults, labelMapFaults } from '../../validation/object-meta.ts';
import { protocols } from '../../validation/pod/containers.ts';
import { portReferenceFaults } from '../../validation/pod/probes.ts';
import { choiceFaults, oneOfFaults } from '../../validation/values.ts';
import { clusterAddressFaults, clusterAddressUpdateFaults } from './service-addresses.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const affinitySecondsMost = 86_400;

/** What is wrong with a service (core/validation, ValidateService). */
export function* serviceFaults({ spec = {} }: Service, old: Service | undefined): Faults {
  if (old !== undefined) yield* updateFaults(spec, old.spec ?? {});
  const { ports = [], type = '' } = spec;
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') yield required('spec.ports');
  yield* typeFaults(spec);
  const names = new Set<string>();
  for (const [index, port] of ports.entries())
    yield* portEntryFaults(port, ports.length > 1, names, `spec.ports[${String(index)}]`);
  yield* labelMapFaults(spec.selector, 'spec.selector');
  yield* affinityFaults(spec);
  yield* clusterAddressFaults(spec);
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    const path = `spec.externalIPs[${String(index)}]`;
    if (parseAddress(ip) === undefined) yield* addressFaults(ip, path);
    else yield* specialAddressFaults(ip, path);
  }
  yield* oneOfFaults('spec.type', type, types);
  yield* takenPortFaults(spec);
  yield* balancerFaults(spec);
  yield* trafficFaults(spec);
}

function isHeadless({ clusterIP, clusterIPs }: ServiceSpec): boolean {
  return (clusterIPs?.[0] ?? clusterIP) === 'None';
}

function* typeFaults(spec: ServiceSpec): Faults {
  const { type = '' } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec))
    yield invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`);
  if (type !== 'ExternalName') return;
  const why = 'may not be set for ExternalName services';
  if ((spec.clusterIPs ?? []).length > 0) yield forbidden('spec.clusterIPs', why);
  if ((spec.ipFamilies ?? []).length > 0) yield forbidden('spec.ipFamilies', why);
  if (spec.ipFamilyPolicy !== undefined) yield forbidden('spec.ipFamilyPolicy', why);
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') yield required('spec.externalName');
  else yield* invalids('spec.externalName', name, subdomainFaults(name));
}

function* portEntryFaults(entry: ServicePort, isNamed: boolean, names: Set<string>, path: string): Faults {
  const { name = '', port = 0, protocol, targetPort, appProtocol } = entry;
  if (isNamed && name === '') yield required(`${path}.name`);
  else if (name !== '') {
    yield* invalids(`${path}.name`, name, labelFaults(name));
    if (names.has(name)) yield duplicate(`${path}.name`, name);
    names.add(name);
  }
  yield* invalids(`${path}.port`, port, portFaults(port));
  yield* oneOfFaults(`${path}.protocol`, protocol, protocols);
  yield* portReferenceFaults(targetPort, `${path}.targetPort`);
  if (appProtocol !== undefined) yield* invalids(`${path}.appProtocol`, appProtocol, qualifiedNameFaults(appProtocol));
}

function* affinityFaults({ sessionAffinity = '', sessionAffinityConfig: config }: ServiceSpec): Faults {
  yield* oneOfFaults('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None']);
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && config !== undefined)
    yield forbidden(path, 'must not be set when session affinity is None');
  if (sessionAffinity !== 'ClientIP') return;
  const why = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (config === undefined) yield required(path, why);
  else if (config.clientIP === undefined) yield required(`${path}.clientIP`, why);
  else if (seconds === undefined) yield required(`${path}.clientIP.timeoutSeconds`, why);
  else if (seconds <= 0 || seconds > affinitySecondsMost)
    yield invalid(`${path}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400');
}

/** Ports that two entries want, of nodes and of the service. */
function* takenPortFaults({ type, ports = [] }: ServiceSpec): Faults {
  if (type === 'ClusterIP')
    for (const [index, { nodePort = 0 }] of ports.entries())
      if (nodePort !== 0)
        yield forbidden(`spec.ports[${String(index)}].nodePort`, "may not be used when `type` is 'ClusterIP'");
  const [onNodes, own] = [new Set<string>(), new Set<string>()];
  for (const [index, { nodePort = 0, protocol = '' }] of ports.entries()) {
    const key = `${protocol}/${String(nodePort)}`;
    if (nodePort !== 0 && onNodes.has(key)) yield duplicate(`spec.ports[${String(index)}].nodePort`, nodePort);
    onNodes.add(key);
  }
  for (const [index, { port = 0, protocol = '' }] of ports.entries()) {
    const key = `${protocol}/${String(port)}`;
    if (own.has(key)) yield duplicate(`spec.ports[${String(index)}]`, { port, protocol });
    own.add(key);
  }
}

function* balancerFaults(spec: ServiceSpec): Faults {
  const isBalanced = spec.type === 'LoadBalancer';
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !isBalanced) yield forbidden('spec.LoadBalancerSourceRanges', only);
  for (const [index, range] of ranges.entries())
    yield* prefixFaults(range.trim(), `spec.LoadBalancerSourceRanges[${String(index)}]`);
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    yield forbidden('spec.allocateLoadBalancerNodePorts', only);
  if (spec.loadBalancerClass === undefined) return;
  if (!isBalanced) yield forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'");
  else yield* invalids('spec.loadBalancerClass', spec.loadBalancerClass, qualifiedNameFaults(spec.loadBalancerClass));
}

function* trafficFaults(spec: ServiceSpec): Faults {
  const { type = '', externalTrafficPolicy: external = '', internalTrafficPolicy: internal } = spec;
  const isReached =
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  if (isReached) yield* oneOfFaults('spec.externalTrafficPolicy', external, ['Cluster', 'Local']);
  else if (external !== '')
    yield invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services');
  const needsCheck = type === 'LoadBalancer' && external === 'Local';
  const { healthCheckNodePort: check = 0 } = spec;
  if (!needsCheck && check !== 0)
    yield invalid(
      'spec.healthCheckNodePort',
      check,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    );
  // The server gives it a port; it is only looked at when somebody asked for one.
  if (needsCheck && check !== 0) yield* invalids('spec.healthCheckNodePort', check, portFaults(check));
  if (internal === undefined && types.includes(type) && type !== 'ExternalName')
    yield required('spec.internalTrafficPolicy');
  yield* choiceFaults('spec.internalTrafficPolicy', internal, ['Cluster', 'Local']);
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (spec.trafficDistribution !== undefined && !distributions.includes(spec.trafficDistribution))
    yield notSupported('spec.trafficDistribution', spec.trafficDistribution, distributions);
}

function* updateFaults(spec: ServiceSpec, old: ServiceSpec): Faults {
  yield* clusterAddressUpdateFaults(spec, old);
  const isBalanced = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
  if (isBalanced && spec.loadBalancerClass !== old.loadBalancerClass)
    yield invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set');
  const hasCheck = (one: ServiceSpec): boolean => one.type === 'LoadBalancer' && one.externalTrafficPolicy === 'Local';
  if (hasCheck(spec) && hasCheck(old) && spec.healthCheckNodePort !== old.healthCheckNodePort)
    yield forbidden('spec.healthCheckNodePort', 'field is immutable');
}
