import { reasonOf, StatusError } from '#base/errors.ts';
import { hasCode } from '#sys/errno.ts';
import { readSysctl } from '#sys/sysctl.ts';

import type { PortRequest, PublishedPort } from '../networks.ts';
import { holdPort, type PortHolder } from './port-holder.ts';

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Container ports are published for somebody: Docker's error texts name the endpoint and its address. */
export interface PortOwner {
  readonly containerName: string;
  readonly endpointId: string;
  readonly address: string;
}

/** What Linux has when it does not say. */
const usualEphemeral: Range = { first: 32_768, last: 60_999 };

/** Chooses and holds host ports. Ports without a wish come one after the other from the kernel's ephemeral range. */
export class PortAllocator {
  #next = 0;

  /**
   * Holds a port on each of these addresses, the same number on all. All or nothing. Throws Busy (in Docker's words) when it
   * is taken.
   */
  hold(request: PortRequest, hostIps: readonly string[], owner: PortOwner): readonly PortHolder[] {
    if (hostIps.length === 0) return [];
    const candidates = request.hostPort === 0 ? this.#ephemeral() : between(request.hostPort, request.hostPortEnd);
    let failure: unknown;
    const explain = (error: unknown, port: PublishedPort): unknown => refused(error, port, owner);
    for (const hostPort of candidates) {
      const { containerPort, protocol } = request;
      try {
        return holdAll(
          hostIps.map((hostIp) => ({ containerPort, protocol, hostIp, hostPort })),
          explain,
        );
      } catch (error) {
        failure = error;
        if (reasonOf(error) !== 'Busy') break;
      }
    }
    throw failure;
  }

  *#ephemeral(): Generator<number> {
    const { first, last } = ephemeralRange();
    const count = last - first + 1;
    for (let tries = 0; tries < count; tries += 1) {
      const port = this.#next >= first && this.#next <= last ? this.#next : first;
      this.#next = port + 1;
      yield port;
    }
  }
}

/** Holds all of these ports or none. `explain` makes of a failed call what is thrown. */
export function holdAll(
  ports: readonly PublishedPort[],
  explain: (error: unknown, port: PublishedPort) => unknown = (error) => error,
): readonly PortHolder[] {
  using held = new DisposableStack();
  const holders = ports.flatMap((port) => {
    try {
      return [held.use(holdPort(port))];
    } catch (error) {
      // A kernel without IPv6 has nothing to be held there.
      if (port.hostIp === '::' && hasCode(error, 'EAFNOSUPPORT')) return [];
      throw explain(error, port);
    }
  });
  held.move();
  return holders;
}

function* between(first: number, last: number): Generator<number> {
  for (let port = first; port <= Math.max(first, last); port += 1) yield port;
}

function ephemeralRange(): Range {
  const [first = 0, last = 0] = (readSysctl('net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first > 0 && last >= first ? { first, last } : usualEphemeral;
}

function refused(error: unknown, port: PublishedPort, owner: PortOwner): unknown {
  const words = {
    EADDRINUSE: ['Busy', 'address already in use'],
    EADDRNOTAVAIL: ['InvalidArgument', 'cannot assign requested address'],
    EACCES: ['Forbidden', 'permission denied'],
    EAFNOSUPPORT: ['InvalidArgument', 'address family not supported by protocol'],
  } as const;
  for (const [code, [reason, text]] of Object.entries(words)) {
    if (!hasCode(error, code)) continue;
    const host = port.hostIp.includes(':') ? `[${port.hostIp}]` : port.hostIp;
    const what = `${host}:${String(port.hostPort)}:${owner.address}:${String(port.containerPort)}/${port.protocol}`;
    const endpoint = `endpoint ${owner.containerName} (${owner.endpointId})`;
    const message = `driver failed programming external connectivity on ${endpoint}: failed to bind host port for ${what}: ${text}`;
    return new StatusError(reason, message, { cause: error });
  }
  return error;
}
