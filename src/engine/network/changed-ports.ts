import type { PortRequest, PublishedPort } from './networks.ts';

/**
 * What changes between two lists of wishes: the wishes that are new, and the ports that were published for those that are
 * gone. `ports` are what `before` led to, in its order. Pure.
 */
export function changedPorts(
  before: readonly PortRequest[],
  ports: readonly PublishedPort[],
  wanted: readonly PortRequest[],
): { readonly added: readonly PortRequest[]; readonly dropped: readonly PublishedPort[] } {
  const keys = new Set(wanted.map(keyOf));
  const known = new Set(before.map(keyOf));
  const dropped: PublishedPort[] = [];
  let left = ports;
  for (const request of before) {
    const own = portsOf(request, left);
    left = left.filter((port) => !own.includes(port));
    if (!keys.has(keyOf(request))) dropped.push(...own);
  }
  return { added: wanted.filter((request) => !known.has(keyOf(request))), dropped };
}

export function samePort(one: PublishedPort, other: PublishedPort): boolean {
  return (
    one.protocol === other.protocol &&
    one.hostIp === other.hostIp &&
    one.hostPort === other.hostPort &&
    one.containerPort === other.containerPort
  );
}

/** The ports among `left` that one wish led to: one number, on one or two addresses. */
function portsOf(request: PortRequest, left: readonly PublishedPort[]): readonly PublishedPort[] {
  const isMeant = (port: PublishedPort): boolean =>
    port.containerPort === request.containerPort &&
    port.protocol === request.protocol &&
    (request.hostIp === '' || request.hostIp === port.hostIp) &&
    // 0: where a network is routed, at the container's own address.
    (request.hostPort === 0 ||
      port.hostPort === 0 ||
      (port.hostPort >= request.hostPort && port.hostPort <= request.hostPortEnd));
  const first = left.find(isMeant);
  if (first === undefined) return [];
  const seen = new Set<string>();
  return left.filter((port) => {
    if (!isMeant(port) || port.hostPort !== first.hostPort || seen.has(port.hostIp)) return false;
    seen.add(port.hostIp);
    return true;
  });
}

function keyOf({ containerPort, protocol, hostIp, hostPort, hostPortEnd }: PortRequest): string {
  return [containerPort, protocol, hostIp, hostPort, hostPortEnd].join(' ');
}
