import type { Engine } from '#engine/engine.ts';
import { parseBridgeOptions } from '#engine/network/bridge-options.ts';
import { gatewaysOf } from '#engine/network/endpoint-plan.ts';
import type { PublishedPort } from '#engine/network/networks.ts';
import type { Container } from '#engine/runtime/container.ts';

import type { ExposedPort, ExposureReport } from './control-protocol.ts';

/** What containers can be reached by from outside of them; the host's own firewall is not looked at. */
export function exposureReport(
  { containers, networks }: Pick<Engine, 'containers' | 'networks'>,
  settings: Pick<ExposureReport, 'respectHostFirewall' | 'dockerSocket' | 'controlSocket'>,
): ExposureReport {
  const running = containers.list().filter(({ state }) => state.pid > 0);
  const onHost = running.filter(({ spec }) => spec.network.mode === 'host');
  return {
    ...settings,
    ports: running.flatMap((container) =>
      (container.sandbox?.ports ?? []).map((port) => exposedPort(container, port, networks)),
    ),
    hostNetwork: onHost.map(({ name, state }) => ({ container: name, pid: state.pid })),
  };
}

function exposedPort({ name, sandbox }: Container, port: PublishedPort, networks: Engine['networks']): ExposedPort {
  const gateways = gatewaysOf(sandbox?.endpoints ?? []);
  const isIpv6 = port.hostIp.includes(':');
  const own = isIpv6 ? gateways.ipv6 : gateways.ipv4;
  const endpoint = own ?? gateways.ipv4 ?? gateways.ipv6;
  const network = endpoint === undefined ? undefined : networks.find(endpoint.networkId);
  return {
    container: name,
    protocol: port.protocol,
    hostIp: port.hostIp,
    hostPort: port.hostPort,
    containerPort: port.containerPort,
    containerAddress:
      (isIpv6 ? own?.ipv6Address : own?.ipv4Address) ?? (endpoint?.ipv4Address || endpoint?.ipv6Address) ?? '',
    network: endpoint?.networkName ?? '',
    isRelayed: own === undefined,
    trustedInterfaces: network?.driver === 'bridge' ? parseBridgeOptions(network.options).trustedInterfaces : [],
  };
}
