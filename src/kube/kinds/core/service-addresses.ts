import { parseAddress } from '#formats/ip-address.ts';

import type { Service, ServiceSpec } from '../../types/gen/core-v1.ts';
import { addressFaults } from '../../validation/addresses.ts';
import { duplicate, invalid, notSupported } from '../../validation/faults.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { choiceFaults } from '../../validation/values.ts';

const families = ['IPv4', 'IPv6'];
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/**
 * Keeps what a service was given unless the update says otherwise: addresses, and ports of nodes of the same port (registry
 * core/service, patchAllocatedValues). `clusterIP` and `clusterIPs` say the same.
 */
export function keepAllocated({ spec = {} }: Service, old: Service | undefined): void {
  const before = old?.spec ?? {};
  if (needsAddress(spec) && needsAddress(before)) {
    spec.clusterIP ||= before.clusterIP ?? '';
    if (spec.clusterIP === before.clusterIP) spec.clusterIPs ??= [...(before.clusterIPs ?? [])];
    spec.ipFamilies ??= [...(before.ipFamilies ?? [])];
    if (before.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= before.ipFamilyPolicy;
  }
  mirrorAddress(spec, before);
  if (needsNodePort(spec) && needsNodePort(before))
    for (const port of spec.ports ?? []) {
      const same = before.ports?.find((one) => one.port === port.port && one.protocol === port.protocol);
      if (same?.nodePort !== undefined) port.nodePort ||= same.nodePort;
    }
  const kept = before.healthCheckNodePort;
  if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && kept !== undefined)
    spec.healthCheckNodePort ||= kept;
}

/** Old clients know only `clusterIP`. */
function mirrorAddress(spec: ServiceSpec, before: ServiceSpec): void {
  const { clusterIP = '', clusterIPs = [] } = spec;
  const isChanged = clusterIP !== (before.clusterIP ?? '');
  if (clusterIP !== '' && (clusterIPs.length === 0 || (isChanged && clusterIPs[0] === before.clusterIP)))
    spec.clusterIPs = [clusterIP, ...clusterIPs.slice(1)];
  if (clusterIP === '' && clusterIPs.length > 0) spec.clusterIP = clusterIPs[0] ?? '';
  if (spec.clusterIP === '') delete spec.clusterIP;
  if ((spec.clusterIPs ?? []).length === 0) delete spec.clusterIPs;
  if ((spec.ipFamilies ?? []).length === 0) delete spec.ipFamilies;
}

function needsAddress({ type }: ServiceSpec): boolean {
  return type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer';
}

function needsNodePort({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

/** Addresses of a service in the cluster and their families (core/validation, ValidateServiceClusterIPsRelatedFields). */
export function* clusterAddressFaults(spec: ServiceSpec): Faults {
  if (spec.type === 'ExternalName') return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  const path = 'spec.clusterIPs';
  if (clusterIP !== '' && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP)
    yield invalid(path, clusterIPs, 'first value must match `clusterIP`');
  for (const [index, family] of ipFamilies.entries())
    if (!families.includes(family)) yield notSupported(`spec.ipFamilies[${String(index)}]`, family, families);
  if (ipFamilies.length > 1 && ipFamilies[0] === ipFamilies[1]) yield duplicate('spec.ipFamilies[1]', ipFamilies[1]);
  yield* choiceFaults('spec.ipFamilyPolicy', spec.ipFamilyPolicy, policies);
  const isNone = clusterIPs.includes('None');
  if (isNone && clusterIPs.length > 1) yield invalid(path, clusterIPs, "'None' must be the first and only value");
  if (clusterIPs.length > 2) yield invalid(path, clusterIPs, 'may only hold up to 2 values');
  if (isNone) return;
  for (const [index, ip] of clusterIPs.entries()) {
    const address = parseAddress(ip);
    const at = `${path}[${String(index)}]`;
    if (address === undefined) yield* addressFaults(ip, at);
    const family = ipFamilies[index];
    if (address !== undefined && family !== undefined && family !== `IPv${String(address.family)}`)
      yield invalid(at, ip, `expected an ${family} value as indicated by \`ipFamilies[${String(index)}]\``);
  }
}

/** The first address and family stay, unless the service becomes or was only a name. */
export function* clusterAddressUpdateFaults(spec: ServiceSpec, old: ServiceSpec): Faults {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  const [first, before] = [spec.clusterIPs?.[0], old.clusterIPs?.[0]];
  if (before !== undefined && first !== before)
    yield invalid('spec.clusterIPs[0]', spec.clusterIPs ?? null, 'may not change once set');
  const [family, familyBefore] = [spec.ipFamilies?.[0], old.ipFamilies?.[0]];
  if (familyBefore !== undefined && family !== familyBefore)
    yield invalid('spec.ipFamilies[0]', spec.ipFamilies ?? null, 'may not change once set');
}
