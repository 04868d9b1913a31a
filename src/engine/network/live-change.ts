import { setDefaultRoutes, setHairpin } from './container-link.ts';
import { gatewayEndpoint } from './endpoint-plan.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { NetworkContext } from './network-context.ts';
import type { Endpoint } from './networks.ts';
import { filesFor, holdPorts, makeNameServer, publishedElements, remember, wantsNameServer } from './sandbox-setup.ts';
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
  const before = gatewayEndpoint(record.sandbox.endpoints);
  const after = gatewayEndpoint(endpoints);
  if (before === undefined && after !== undefined) live.hold(holdPorts(context, record.request, after));
  if (after === undefined) live.release();
  const ports = before !== undefined && after !== undefined ? record.sandbox.ports : live.ports;
  const files = filesFor(context, record.request, endpoints);
  const next: SandboxRecord = { ...record, sandbox: { ...record.sandbox, endpoints, ports, files } };
  remember(context, next);
  if (before?.endpointId !== after?.endpointId) {
    context.firewall.remove(publishedElements(record));
    context.firewall.add(publishedElements(next));
    setDefaultRoutes(netnsPath, after, before);
    if (before !== undefined && endpoints.includes(before)) setHairpin(context.socket, before, false);
    if (after !== undefined && ports.length > 0) setHairpin(context.socket, after, true);
  }
  if (!live.hasNameServer && wantsNameServer(context, next)) {
    live.serveNames(makeNameServer(context, next.sandbox, true));
  }
  return next;
}
