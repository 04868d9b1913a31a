import { StatusError } from '#base/errors.ts';
import type { PortRequest, Protocol } from '#engine/network/networks.ts';

import type { HostConfig } from './host-config-fields.ts';

const protocols: readonly string[] = ['tcp', 'udp', 'sctp'];
const maximumPort = 65_535;

export interface ContainerPort {
  readonly port: number;
  readonly protocol: Protocol;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `80`, `80/tcp` or `8000-8010/udp`; throws InvalidArgument. */
export function parseContainerPorts(text: string): readonly ContainerPort[] {
  const [range = '', protocol = 'tcp', ...rest] = text.toLowerCase().split('/');
  const { first, last } = parseRange(range, text);
  if (first === 0 || rest.length > 0 || !isProtocol(protocol)) throw invalidPort(text);
  return Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol }));
}

/** The wishes to publish ports that HostConfig.PortBindings and PublishAllPorts make. */
export function portRequests(
  exposed: Readonly<Record<string, object>>,
  bindings: NonNullable<HostConfig['PortBindings']>,
  publishAll: boolean,
): readonly PortRequest[] {
  const requests = Object.entries(bindings).flatMap(([key, wanted]) =>
    parseContainerPorts(key).flatMap((port, index) => wanted.map((binding) => portRequest(port, index, binding))),
  );
  if (!publishAll) return requests;
  const bound = new Set(requests.map((request) => `${String(request.containerPort)}/${request.protocol}`));
  const unbound = Object.keys(exposed)
    .flatMap(parseContainerPorts)
    .filter(({ port, protocol }) => !bound.has(`${String(port)}/${protocol}`));
  return [...requests, ...unbound.map((port) => portRequest(port, 0, {}))];
}

function portRequest(
  { port, protocol }: ContainerPort,
  index: number,
  binding: { readonly HostIp?: string; readonly HostPort?: string },
): PortRequest {
  const text = binding.HostPort ?? '';
  const range = text === '' ? { first: 0, last: 0 } : parseRange(text, text);
  // A range of container ports is published one to one on the range of host ports.
  const shift = index > 0 && range.first > 0 && range.last > range.first ? index : 0;
  const hostPort = range.first + shift;
  if (hostPort > Math.max(range.last, range.first)) throw invalidPort(text);
  const hostPortEnd = shift > 0 ? hostPort : range.last;
  return { containerPort: port, protocol, hostIp: binding.HostIp ?? '', hostPort, hostPortEnd };
}

function parseRange(text: string, whole: string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > last || last > maximumPort) throw invalidPort(whole);
  return { first, last };
}

function isProtocol(text: string): text is Protocol {
  return protocols.includes(text);
}

function invalidPort(text: string): StatusError {
  return new StatusError(
    'InvalidArgument',
    `Invalid port specification: "${text}"; write port[-port][/tcp|udp|sctp] with ports from 1 to 65535`,
  );
}
