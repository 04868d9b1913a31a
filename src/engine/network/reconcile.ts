import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { removeLink } from '#sys/netlink/link.ts';
import { isNetns, removeNetns } from '#sys/netns.ts';

import { attachedLinks, hostInterfaceName } from './container-link.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { NetworkContext } from './network-context.ts';
import type { PublishedPort } from './networks.ts';
import { holdAll } from './ports/port-allocator.ts';
import { heldNowhere } from './ports/port-holder.ts';
import { makeLive, makeNameServer, wantsNameServer } from './sandbox-setup.ts';
import type { SandboxRecord } from './sandbox-record.ts';

/**
 * Brings back what a container's network had in the process before this one: held ports and the name server. A port that
 * somebody took meanwhile is reported and stays published: the kernel's rules come before any listening program.
 */
export function reviveSandbox(context: NetworkContext, record: SandboxRecord): LiveSandbox {
  const { containerId, netnsPath = '', ports } = record.sandbox;
  const live = makeLive(context, containerId);
  for (const port of ports) holdAgain(context, live, containerId, port);
  if (!isNetns(netnsPath)) {
    context.logger.warn('the network namespace of a running container is gone', { containerId, netnsPath });
  } else if (wantsNameServer(context, record)) {
    live.serveNames(makeNameServer(context, record.sandbox, true));
  }
  return live;
}

/** Removes namespaces and interfaces that belong to no sandbox: what was being made or removed when a process was killed. */
export function sweepLeftovers({ state, socket, netnsFolder, logger }: NetworkContext): void {
  const sandboxes = Array.from(state.records.values(), ({ sandbox }) => sandbox);
  const namespaces = new Set(sandboxes.map(({ netnsPath }) => netnsPath));
  const paths = existsSync(netnsFolder) ? readdirSync(netnsFolder).map((name) => join(netnsFolder, name)) : [];
  for (const path of paths.filter((path) => !namespaces.has(path))) {
    logger.info('removing a left-over network namespace', { path });
    removeNetns(path);
  }
  const names = new Set(sandboxes.flatMap(({ endpoints }) => endpoints.map((e) => hostInterfaceName(e.endpointId))));
  const bridges = new Set(Array.from(state.definitions.values(), ({ bridgeName }) => bridgeName));
  for (const link of attachedLinks(socket, bridges)) {
    if (names.has(link.name)) continue;
    logger.info('removing a left-over interface', { name: link.name });
    removeLink(socket, link.index);
  }
}

function holdAgain(context: NetworkContext, live: LiveSandbox, containerId: string, port: PublishedPort): void {
  try {
    live.hold(port.hostPort === 0 ? [heldNowhere(port)] : holdAll([port]));
  } catch (error) {
    context.logger.warn('cannot hold a published port again', { containerId, hostPort: port.hostPort, error });
  }
}
