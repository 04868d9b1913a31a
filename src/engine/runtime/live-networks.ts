import { StatusError } from '#base/errors.ts';

import type { EndpointRequest } from '../network/networks.ts';
import type { LiveContainer } from './live-container.ts';
import { isRunning } from './record.ts';
import type { Room } from './room.ts';
import { sandboxRequest } from './start-run.ts';

/** Puts a container on one more network, at once when it runs and for all starts to come. The caller holds its lock. */
export async function connectLive(
  room: Room,
  live: LiveContainer,
  endpoint: EndpointRequest,
  signal: AbortSignal,
): Promise<void> {
  const { network } = live.record.spec;
  const target = room.networks.get(endpoint.network);
  if (network.mode !== 'networks' || target.driver === 'host' || target.driver === 'none')
    throw new StatusError(
      'InvalidArgument',
      `container sharing network namespace with another container or host cannot be connected to any other network`,
    );
  const known = network.endpoints.some((other) => room.networks.find(other.network)?.id === target.id);
  if (known)
    throw new StatusError(
      'Forbidden',
      `endpoint with name ${live.record.name} already exists in network ${target.name}`,
    );
  const spec = { ...live.record.spec, network: { ...network, endpoints: [...network.endpoints, endpoint] } };
  const record = { ...live.record, spec };
  room.networks.check(sandboxRequest(record));
  if (isRunning(live.record)) await room.networks.connect(live.id, endpoint, signal);
  live.record = record;
  await room.records.save(record);
}

/** Takes a container from a network. The caller holds its lock. */
export async function disconnectLive(
  room: Room,
  live: LiveContainer,
  network: string,
  force: boolean,
  signal: AbortSignal,
): Promise<void> {
  const target = room.networks.find(network);
  const before = live.record.spec.network;
  const endpoints = before.endpoints.filter(
    (other) => other.network !== network && room.networks.find(other.network)?.id !== target?.id,
  );
  if (endpoints.length === before.endpoints.length) {
    if (force) return;
    throw new StatusError('Forbidden', `container ${live.id} is not connected to network ${target?.name ?? network}`);
  }
  if (isRunning(live.record)) await room.networks.disconnect(live.id, network, signal);
  live.record = { ...live.record, spec: { ...live.record.spec, network: { ...before, endpoints } } };
  await room.records.save(live.record);
}
