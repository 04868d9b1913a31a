import { StatusError } from '#base/errors.ts';
import { parseAddress } from '#formats/ip-address.ts';

import { checkEndpoint } from './endpoint-plan.ts';
import type { NetworkState } from './network-state.ts';
import type { EndpointRequest, PortRequest, SandboxRequest } from './networks.ts';
import { parseExtraHost } from './sandbox-files.ts';

const largestPort = 65_535;

/** Whether a request can be fulfilled as far as that shows without doing it. Throws what `open` would throw. */
export function checkRequest(request: SandboxRequest, state: NetworkState): void {
  if (!/^[\w.-]+$/.test(request.containerId)) throw new Error(`"${request.containerId}" is no container ID`);
  for (const line of request.extraHosts) parseExtraHost(line);
  for (const server of request.dns.servers) {
    if (parseAddress(server) === undefined) throw new StatusError('InvalidArgument', `invalid DNS server "${server}"`);
  }
  for (const port of request.ports) checkPort(port);
  checkEndpoints(request.endpoints, state);
}

function checkEndpoints(endpoints: readonly EndpointRequest[], state: NetworkState): void {
  const seen = new Set<string>();
  for (const endpoint of endpoints) {
    const network = state.get(endpoint.network);
    checkEndpoint(network, endpoint);
    if (seen.has(network.id)) {
      throw new StatusError('InvalidArgument', `invalid endpoint settings: network ${network.name} is given twice`);
    }
    seen.add(network.id);
  }
}

function checkPort({ containerPort, hostPort, hostPortEnd, hostIp, protocol }: PortRequest): void {
  const name = `${String(containerPort)}/${protocol}`;
  if (!isPort(containerPort) || containerPort === 0) {
    throw new StatusError('InvalidArgument', `invalid port "${name}": want a number from 1 to ${String(largestPort)}`);
  }
  if (!isPort(hostPort) || !isPort(hostPortEnd)) {
    const range = `${String(hostPort)}-${String(hostPortEnd)}`;
    throw new StatusError(
      'InvalidArgument',
      `invalid host port ${range} for "${name}": want 0 to ${String(largestPort)}`,
    );
  }
  if (hostIp !== '' && parseAddress(hostIp) === undefined) {
    throw new StatusError('InvalidArgument', `invalid host IP address "${hostIp}" for port "${name}"`);
  }
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= largestPort;
}
