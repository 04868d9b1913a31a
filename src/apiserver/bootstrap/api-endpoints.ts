import { every } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { isEqualJson } from '#base/json.ts';
import type { Logger } from '#base/logger.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { Store } from '#store/store.ts';

import type { Objects, ResourceName } from '../auth/objects.ts';

/** Where a server is reached. */
export interface ApiAddress {
  readonly ip: string;
  readonly port: number;
}

export interface EndpointOptions {
  readonly objects: Objects;
  readonly store: Store;
  /** No other server uses the store: nobody needs to hear of this one again and again. */
  readonly isExclusive: boolean;
  readonly address: ApiAddress;
  readonly logger: Logger;
  readonly periodMs?: number;
}

/** As upstream's lease reconciler (controlplane/reconcilers/lease.go). */
const leasePrefix = '/registry/masterleases/';
const leaseSeconds = 15;
const periodMs = 10_000;
const attemptsMost = 5;

const endpoints = { group: '', resource: 'endpoints' };
const slices = { group: 'discovery.k8s.io', resource: 'endpointslices' };

/**
 * Keeps the endpoints of the service `kubernetes`: this server's address and those of all others on the store that have
 * said within 15 s that they are there. Resolves when they have been written once; disposing takes this address away
 * where others are left.
 */
export async function keepApiEndpoints(options: EndpointOptions, signal: AbortSignal): Promise<AsyncDisposable> {
  const { isExclusive, logger } = options;
  await publish(options, signal);
  if (isExclusive) return { [Symbol.asyncDispose]: async () => await Promise.resolve() };
  const closing = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const timer = every(options.periodMs ?? periodMs, () => {
    running = running
      .then(async () => await publish(options, closing.signal))
      .catch((error: unknown) => {
        if (!closing.signal.aborted) logger.warn('endpoints of the API were not kept', { error: messageOf(error) });
      });
  });
  return {
    [Symbol.asyncDispose]: async () => {
      timer[Symbol.dispose]();
      await running;
      await withdraw(options, closing.signal).catch((error: unknown) =>
        logger.warn('endpoints of the API were not taken back', { error: messageOf(error) }),
      );
      closing.abort(new Error('the API server ends'));
    },
  };
}

async function publish(options: EndpointOptions, signal: AbortSignal): Promise<void> {
  const { store, isExclusive, address } = options;
  if (!isExclusive) {
    const key = leasePrefix + address.ip;
    const present = await store.get(key, signal);
    const value = Buffer.from(JSON.stringify(address));
    await store.put(key, value, present?.revision ?? 0n, { ttlSeconds: leaseSeconds }, signal);
  }
  await write(options, isExclusive ? [address] : await leased(store, signal), signal);
}

async function withdraw(options: EndpointOptions, signal: AbortSignal): Promise<void> {
  const { store, address } = options;
  const present = await store.get(leasePrefix + address.ip, signal);
  if (present !== undefined) await store.remove(present.key, present.revision, signal);
  const others = await leased(store, signal);
  // The last one leaves its address: somebody may come back to it, and nobody can ask meanwhile.
  if (others.length > 0) await write(options, others, signal);
}

async function leased(store: Store, signal: AbortSignal): Promise<readonly ApiAddress[]> {
  const { entries } = await store.list(leasePrefix, {}, signal);
  return entries.map(({ value }) => JSON.parse(Buffer.from(value).toString('utf8')) as ApiAddress);
}

async function write(
  { objects }: EndpointOptions,
  addresses: readonly ApiAddress[],
  signal: AbortSignal,
): Promise<void> {
  await put(objects, endpoints, endpointsOf(addresses), signal);
  await put(objects, slices, sliceOf(addresses), signal);
}

/** Writes it unless it is so already; another server may do the same at the same time. */
async function put(objects: Objects, of: ResourceName, wanted: Resource, signal: AbortSignal): Promise<void> {
  const { name = '', namespace = '' } = wanted.metadata;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const present = await objects.get(of, namespace, name, signal);
      if (present === undefined) {
        await objects.create(of, wanted, signal);
        return;
      }
      const next = { ...present, ...wanted, metadata: { ...present.metadata, labels: wanted.metadata.labels ?? {} } };
      if (!isEqualJson(next, present)) await objects.update(of, next, signal);
      return;
    } catch (error) {
      const isRace =
        error instanceof ApiError && ['AlreadyExists', 'Conflict', 'NotFound'].includes(error.statusReason);
      if (!isRace || attempt >= attemptsMost) throw error;
    }
  }
}

/** Addresses in order, all with the port of the first one: what all servers of a cluster make of the same leases. */
function reachable(addresses: readonly ApiAddress[]): { readonly ips: readonly string[]; readonly port: number } {
  const sorted = addresses.toSorted((one, other) => (one.ip < other.ip ? -1 : 1));
  const port = sorted[0]?.port ?? 0;
  return { ips: sorted.filter((one) => one.port === port).map(({ ip }) => ip), port };
}

function endpointsOf(addresses: readonly ApiAddress[]): Resource {
  const { ips, port } = reachable(addresses);
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

function sliceOf(addresses: readonly ApiAddress[]): Resource {
  const { ips, port } = reachable(addresses);
  const isSix = ips[0]?.includes(':') === true;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: isSix ? 'IPv6' : 'IPv4',
    endpoints: ips
      .filter((ip) => ip.includes(':') === isSix)
      .map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}
