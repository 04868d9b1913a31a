import { setDefaultRoutes, setHairpin } from './container-link.ts';
import { gatewaysOf } from './endpoint-plan.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { NetworkContext } from './network-context.ts';
import type { Endpoint } from './networks.ts';
import {
  filesFor,
  holdPorts,
  makeNameServer,
  portPlaces,
  publishedElements,
  remember,
  wantsNameServer,
} from './sandbox-setup.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/**
 * Gives a running container another set of endpoints, whose interfaces are there: files, default route, published ports
 * and name server follow. Returns what is remembered of it from now on.
 */
export function changeEndpoints(
  context: NetworkContext,
  live: LiveSandbox,
  record: SandboxRecord,
  endpoints: readonly Endpoint[],
): SandboxRecord {
  const { netnsPath = '' } = record.sandbox;
  const [before, after] = [gatewaysOf(record.sandbox.endpoints), gatewaysOf(endpoints)];
  const stays = samePlaces(context, record, endpoints);
  if (!stays) {
    live.release();
    live.hold(holdPorts(context, record.request, endpoints));
  }
  // Those that somebody took while no process of ours held them stay published.
  const ports = stays ? record.sandbox.ports : live.ports;
  const files = filesFor(context, record.request, endpoints);
  const next: SandboxRecord = { ...record, sandbox: { ...record.sandbox, endpoints, ports, files } };
  remember(context, next);
  if (before.ipv4?.endpointId !== after.ipv4?.endpointId || before.ipv6?.endpointId !== after.ipv6?.endpointId) {
    context.firewall.remove(publishedElements(context.state, record));
    context.firewall.add(publishedElements(context.state, next));
    setDefaultRoutes(netnsPath, after, before);
    const [left, used] = [new Set([before.ipv4, before.ipv6]), new Set([after.ipv4, after.ipv6])];
    for (const endpoint of left)
      if (endpoint !== undefined && endpoints.includes(endpoint)) setHairpin(context.socket, endpoint, false);
    for (const endpoint of used)
      if (endpoint !== undefined && ports.length > 0) setHairpin(context.socket, endpoint, true);
  }
  if (!live.hasNameServer && wantsNameServer(context, next)) {
    live.serveNames(makeNameServer(context, next.sandbox, true));
  }
  return next;
}

/** Whether the ports that are held for the container are those that it has to hold with other endpoints too. */
function samePlaces(context: NetworkContext, record: SandboxRecord, endpoints: readonly Endpoint[]): boolean {
  const places = (list: readonly Endpoint[]): string => JSON.stringify(portPlaces(context, record.request, list));
  return places(record.sandbox.endpoints) === places(endpoints);
}
