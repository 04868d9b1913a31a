import { monotonicMs } from '#base/clock.ts';
import { randomBelow } from '#base/ids.ts';
import { formatAddress, parseAddress } from '#formats/ip-address.ts';
import type { Resource } from '#kube/resource.ts';
import { invalid } from '#kube/status.ts';

import type { AdmissionPlugin } from '../admission/admission.ts';
import type { Objects } from '../auth/objects.ts';

interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ipFamilies?: readonly string[];
  readonly ipFamilyPolicy?: string;
  readonly ports?: readonly ServicePort[];
  readonly allocateLoadBalancerNodePorts?: boolean;
  readonly externalTrafficPolicy?: string;
  readonly healthCheckNodePort?: number;
}

interface ServicePort {
  readonly nodePort?: number;
  readonly protocol?: string;
}

type Changeable = { -readonly [Name in keyof ServiceSpec]: ServiceSpec[Name] };

/** Addresses of services; kubeadm's default as well. The first one is the API's own. */
const network = { first: 0x0a_60_00_00n, size: 1 << 12 };
export const apiServiceAddress = '10.96.0.1';
const ports = { first: 30_000, count: 2768 };
/** How long what was given out counts as taken while its service is not stored yet. */
const reservedMs = 60_000;

/**
 * Gives services their cluster IP and node ports (registry/core/service/storage/alloc.go): what is asked for when it is
 * free, else one by chance.
 */
export function serviceAddresses(objects: Objects): AdmissionPlugin {
  const reserved = new Map<string, number>();
  return {
    name: 'ServiceAddresses',
    mutate: async (request, signal) => {
      const { object, oldObject, resource, subresource } = request;
      if (resource.group !== '' || resource.resource !== 'services' || subresource !== '' || object === undefined)
        return;
      const services = await objects.list({ group: '', resource: 'services' }, '', signal);
      const others = services.filter(({ metadata }) => metadata.uid !== object.metadata.uid).map(specOf);
      const pool = new Pool(others, reserved);
      const spec: Changeable = { ...specOf(object) };
      const old = oldObject === undefined ? undefined : specOf(oldObject);
      keepOld(spec, old);
      giveAddress(spec, old, pool, object);
      giveNodePorts(spec, old, pool, object);
      request.object = { ...object, spec };
      if (!request.isDryRun) pool.reserve();
    },
  };
}

/** What a client leaves out of an update stays. */
function keepOld(spec: Changeable, old: ServiceSpec | undefined): void {
  if (old === undefined || spec.type === 'ExternalName' || old.type === 'ExternalName') return;
  if ((spec.clusterIP ?? '') === '' && (spec.clusterIPs ?? []).length === 0 && old.clusterIP !== undefined) {
    spec.clusterIP = old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs = old.clusterIPs;
  }
  if (spec.ipFamilies === undefined && old.ipFamilies !== undefined) spec.ipFamilies = old.ipFamilies;
  if (spec.ipFamilyPolicy === undefined && old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = old.ipFamilyPolicy;
}

function giveAddress(spec: Changeable, old: ServiceSpec | undefined, pool: Pool, object: Resource): void {
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) delete spec[field];
    return;
  }
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
  const wanted = spec.clusterIP ?? spec.clusterIPs?.[0] ?? '';
  if (wanted === 'None') {
    spec.clusterIP = 'None';
    spec.clusterIPs = ['None'];
    return;
  }
  if (wanted !== '' && wanted === old?.clusterIP) {
    spec.clusterIPs ??= [wanted];
    return;
  }
  const address = wanted === '' ? pool.anyAddress() : wanted;
  const fault = wanted === '' ? undefined : pool.faultOfAddress(wanted);
  if (fault !== undefined || address === undefined) {
    const why = `failed to allocate IP ${wanted}: ${fault ?? 'range is full'}`;
    throw fieldInvalid(object, 'spec.clusterIPs', [wanted], why);
  }
  pool.takeAddress(address);
  spec.clusterIP = address;
  spec.clusterIPs = [address];
}

function giveNodePorts(spec: Changeable, old: ServiceSpec | undefined, pool: Pool, object: Resource): void {
  const needs =
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
  const had = old !== undefined && (old.type === 'NodePort' || old.type === 'LoadBalancer');
  if (spec.ports === undefined) return;
  if (!needs) {
    // A service that stops being one of nodes gives back what it did not ask for again.
    const isLeaving = had && spec.type !== 'LoadBalancer';
    if (isLeaving) spec.ports = spec.ports.map(withoutNodePort);
    return;
  }
  const own = new Set((old?.ports ?? []).map(({ nodePort = 0 }) => nodePort));
  const taken = new Map<number, Set<string>>();
  spec.ports = spec.ports.map((port, index) => {
    const before = old?.ports?.[index];
    const kept = (port.nodePort ?? 0) === 0 && before?.protocol === port.protocol ? before?.nodePort : port.nodePort;
    const { protocol = 'TCP' } = port;
    const wanted = kept ?? 0;
    const isShared = wanted !== 0 && taken.has(wanted) && taken.get(wanted)?.has(protocol) === false;
    const fault = wanted === 0 || own.has(wanted) || isShared ? undefined : pool.faultOfPort(wanted);
    if (fault !== undefined) throw fieldInvalid(object, `spec.ports[${String(index)}].nodePort`, wanted, fault);
    const nodePort = wanted === 0 ? pool.anyPort() : wanted;
    pool.takePort(nodePort);
    taken.set(nodePort, (taken.get(nodePort) ?? new Set()).add(protocol));
    return { ...port, nodePort };
  });
  const needsHealth = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
  if (needsHealth && (spec.healthCheckNodePort ?? 0) === 0) {
    spec.healthCheckNodePort = old?.healthCheckNodePort ?? pool.anyPort();
    pool.takePort(spec.healthCheckNodePort);
  }
  if (!needsHealth) delete spec.healthCheckNodePort;
}

/** What is free of addresses and ports. */
class Pool {
  readonly #addresses = new Set<string>([apiServiceAddress]);
  readonly #ports = new Set<number>();
  readonly #taken: string[] = [];
  readonly #reserved: Map<string, number>;

  constructor(services: readonly ServiceSpec[], reserved: Map<string, number>) {
    this.#reserved = reserved;
    for (const { clusterIPs = [], ports: own = [], healthCheckNodePort = 0 } of services) {
      for (const address of clusterIPs) this.#addresses.add(address);
      for (const { nodePort = 0 } of own) this.#ports.add(nodePort);
      this.#ports.add(healthCheckNodePort);
    }
    const now = monotonicMs();
    for (const [key, atMs] of reserved) if (now - atMs > reservedMs) reserved.delete(key);
  }

  faultOfAddress(text: string): string | undefined {
    const address = parseAddress(text);
    const offset = address?.family === 4 ? address.value - network.first : -1n;
    if (offset <= 0n || offset >= BigInt(network.size) - 1n)
      return `the provided IP (${text}) is not in the valid range. The range of valid IPs is 10.96.0.0/20`;
    return this.#addresses.has(text) || this.#reserved.has(text) ? 'provided IP is already allocated' : undefined;
  }

  faultOfPort(port: number): string | undefined {
    const last = ports.first + ports.count - 1;
    if (port < ports.first || port > last)
      return `provided port is not in the valid range. The range of valid ports is ${String(ports.first)}-${String(last)}`;
    const isTaken = this.#ports.has(port) || this.#reserved.has(String(port));
    return isTaken ? 'provided port is already allocated' : undefined;
  }

  anyAddress(): string | undefined {
    const start = randomBelow(network.size);
    for (let step = 0; step < network.size; step += 1) {
      const value = network.first + BigInt((start + step) % network.size);
      const text = formatAddress({ family: 4, value });
      if (this.faultOfAddress(text) === undefined) return text;
    }
    return undefined;
  }

  anyPort(): number {
    const start = randomBelow(ports.count);
    for (let step = 0; step < ports.count; step += 1) {
      const port = ports.first + ((start + step) % ports.count);
      if (this.faultOfPort(port) === undefined) return port;
    }
    throw invalid({ group: '', kind: 'Service' }, '', [
      {
        reason: 'InternalError',
        message: 'Internal error: failed to allocate a nodePort: range is full',
        field: 'spec.ports',
      },
    ]);
  }

  takeAddress(address: string): void {
    this.#addresses.add(address);
    this.#taken.push(address);
  }

  takePort(port: number): void {
    this.#ports.add(port);
    this.#taken.push(String(port));
  }

  reserve(): void {
    for (const key of this.#taken) this.#reserved.set(key, monotonicMs());
  }
}

function withoutNodePort(port: ServicePort): ServicePort {
  const { nodePort: _, ...rest } = port;
  return rest;
}

function fieldInvalid({ metadata }: Resource, field: string, value: unknown, why: string): Error {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
  const of = { group: '', kind: 'Service' };
  return invalid(of, metadata.name ?? '', [{ reason: 'FieldValueInvalid', message, field }]);
}

function specOf(object: Resource): ServiceSpec {
  const { spec = {} } = object;
  return spec as ServiceSpec;
}
