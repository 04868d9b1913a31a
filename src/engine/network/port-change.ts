import { changedPorts, samePort } from './changed-ports.ts';
import { setHairpin } from './container-link.ts';
import { forgetDatagramFlows } from './datagram-flows.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { NetworkContext } from './network-context.ts';
import type { PortRequest, PublishedPort } from './networks.ts';
import type { PortHolder } from './ports/port-holder.ts';
import type { SandboxRecord } from './sandbox-record.ts';
import { gatewaysOf } from './endpoint-plan.ts';
import { holdPorts, publishedElements, remember } from './sandbox-setup.ts';

/**
 * Gives a running container another set of published ports; those that stay are not touched. All or nothing: throws Busy
 * when a new one is taken.
 */
export function changePorts(
  context: NetworkContext,
  live: LiveSandbox,
  record: SandboxRecord,
  wanted: readonly PortRequest[],
): void {
  const { added, dropped } = changedPorts(record.request.ports, record.sandbox.ports, wanted);
  const request = { ...record.request, ports: added };
  const holders = holdPorts(context, request, record.sandbox.endpoints);
  live.drop(dropped);
  live.hold(holders);
  publish(context, record, wanted, [
    ...record.sandbox.ports.filter((port) => !dropped.some((other) => samePort(port, other))),
    ...holders.map(({ port }) => port),
  ]);
}

/**
 * The published ports of one running container lead to another from one packet to the next; connections that are there
 * stay where they are. Names follow: `request` is how the new one is called from now on.
 */
export function movePorts(
  context: NetworkContext,
  from: { readonly live: LiveSandbox; readonly record: SandboxRecord },
  to: { readonly live: LiveSandbox; readonly record: SandboxRecord },
): void {
  const { ports } = from.record.sandbox;
  const holders: readonly PortHolder[] = from.live.give();
  const before = [...publishedElements(context.state, from.record), ...publishedElements(context.state, to.record)];
  const left = { ...from.record, request: { ...from.record.request, ports: [] } };
  remember(context, { ...left, sandbox: { ...left.sandbox, ports: [] } });
  const next: SandboxRecord = {
    request: { ...to.record.request, ports: from.record.request.ports },
    sandbox: { ...to.record.sandbox, ports: [...to.record.sandbox.ports, ...ports] },
  };
  remember(context, next);
  allowHairpin(context, next);
  context.firewall.replace(before, publishedElements(context.state, next));
  to.live.hold(holders);
  forgetDatagramFlows(next);
}

function publish(
  context: NetworkContext,
  record: SandboxRecord,
  wanted: readonly PortRequest[],
  ports: readonly PublishedPort[],
): void {
  const request = { ...record.request, ports: wanted };
  const next: SandboxRecord = { request, sandbox: { ...record.sandbox, ports } };
  remember(context, next);
  context.firewall.replace(publishedElements(context.state, record), publishedElements(context.state, next));
  allowHairpin(context, next);
  forgetDatagramFlows(next);
}

/** Who has published ports may reach itself by them. */
function allowHairpin({ socket }: NetworkContext, { sandbox: { endpoints, ports } }: SandboxRecord): void {
  const { ipv4, ipv6 } = gatewaysOf(endpoints);
  for (const endpoint of new Set([ipv4, ipv6]))
    if (endpoint !== undefined) setHairpin(socket, endpoint, ports.length > 0);
}
