import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { removeLink } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { removeNetns } from '#sys/netns.ts';
import { openFilterSocket } from '#sys/nft/rules.ts';
import { removeTable } from '#sys/nft/table.ts';

import { ownBridges } from './bridge.ts';
import { attachedLinks } from './container-link.ts';
import { updateHostFirewall } from './host-firewall.ts';
import { instanceNames } from './instance-names.ts';

/**
 * Removes all that an instance's networks have in the kernel: namespaces, bridges with what hangs on them, firewall rules
 * (its own and those in the host's). For when no container is to go on; definitions stay. Idempotent. No process of the
 * instance may run.
 */
export function removeKernelState(options: { readonly instance: string; readonly runDir: string }): void {
  const names = instanceNames(options.instance, options.runDir);
  using socket = openRouteSocket();
  using filter = openFilterSocket();
  updateHostFirewall(filter, names.table, []);
  removeTable(filter, 'inet', names.table);
  const bridges = ownBridges(socket, names.table);
  for (const link of attachedLinks(socket, new Set(bridges.map(({ name }) => name)))) removeLink(socket, link.index);
  for (const bridge of bridges) removeLink(socket, bridge.index);
  if (existsSync(names.netnsFolder)) {
    for (const name of readdirSync(names.netnsFolder)) removeNetns(join(names.netnsFolder, name));
  }
  rmSync(names.recordFolder, { recursive: true, force: true });
}
