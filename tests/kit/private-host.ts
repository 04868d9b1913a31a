import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { deadline } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import type { EngineEvent, EventLog } from '#engine/events/event-log.ts';
import type { Networks, SandboxRequest } from '#engine/network/networks.ts';
import { type NetworksOptions, openNetworks } from '#engine/network/open-networks.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { type IpAddress, parseAddress } from '#formats/ip-address.ts';
import { parsePrefix } from '#formats/ip-prefix.ts';
import { systemCall } from '#sys/ffi.ts';
import { changeLink } from '#sys/netlink/change-link.ts';
import { setAddress } from '#sys/netlink/interface-address.ts';
import { findLink } from '#sys/netlink/link.ts';
import { type NetlinkSocket, openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { addVethPair } from '#sys/netlink/new-link.ts';
import { setRoute } from '#sys/netlink/route.ts';
import { createNetns, inNetns, removeNetns } from '#sys/netns.ts';

/** Addresses of the simulated machine and of its neighbour. */
export const hostAddress = '198.51.100.1';
export const hostAddress6 = 'fd51::1';
export const lanAddress = '198.51.100.2';
export const lanAddress6 = 'fd51::2';

const unshare = systemCall('int unshare(int flags)');
const newNetworkNamespace = 0x40000000;

/**
 * A machine of its own: this process's main thread moves into a new network namespace, where it is the host, with one
 * neighbour on a LAN. Nothing of it reaches the real host, and all of it ends with the process.
 */
export class PrivateHost implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipway-network-'));
  /** Namespace of the neighbour, whose default route is the host. */
  readonly lan = join(this.folder, 'lan');

  constructor() {
    unshare('network namespace', newNetworkNamespace);
    createNetns(this.lan);
    using host = openRouteSocket();
    using lan = inNetns(this.lan, () => openRouteSocket());
    const netnsFd = openSync(this.lan, 'r');
    addVethPair(host, { name: 'uplink', up: true }, { name: 'eth0', netnsFd });
    closeSync(netnsFd);
    for (const socket of [host, lan]) changeLink(socket, 1, { up: true });
    const inside = linkIndex(lan, 'eth0');
    changeLink(lan, inside, { up: true });
    give(host, linkIndex(host, 'uplink'), hostAddress, hostAddress6);
    give(lan, inside, lanAddress, lanAddress6);
    setRoute(lan, { destination: prefix('0.0.0.0/0'), gateway: ip(hostAddress), index: inside });
    setRoute(lan, { destination: prefix('::/0'), gateway: ip(hostAddress6), index: inside });
  }

  [Symbol.dispose](): void {
    // What a failed test left pinned goes too.
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').match(/(?<= )\/\S+\/slipway-network-\S+(?= )/g) ?? [];
    for (const path of mounts) if (path.startsWith(this.folder)) removeNetns(path);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Folders and options of an instance, as a daemon would have them. */
  instance(instance: string): NetworksOptions & { readonly etcDir: string } {
    const base = join(this.folder, `instance-${instance}`);
    const etcDir = join(base, 'etc');
    mkdirSync(etcDir, { recursive: true });
    writeFileSync(join(etcDir, 'hosts'), '127.0.0.1\tlocalhost machine\n');
    writeFileSync(join(etcDir, 'resolv.conf'), `nameserver ${lanAddress}\nsearch example.test\n`);
    const dirs = { dataDir: join(base, 'data'), runDir: join(base, 'run'), etcDir };
    return { ...dirs, instance, addressPools: [], events: new RecordedEvents(), logger: silentLogger };
  }
}

/** Events as they were published. */
export class RecordedEvents implements EventLog {
  readonly published: Omit<EngineEvent, 'timeNs'>[] = [];

  publish(type: EngineEvent['type'], action: string, id: string, attributes: Record<string, string> = {}): void {
    this.published.push({ type, action, id, attributes });
  }

  subscribe(): AsyncIterable<EngineEvent> {
    throw new Error('nobody subscribes here');
  }
}

/** Open networks whose kernel state goes when the test ends. */
export async function openInstance(options: NetworksOptions): Promise<Networks & AsyncDisposable> {
  const networks = await openNetworks(options, deadline(60_000));
  const dispose = networks[Symbol.asyncDispose].bind(networks);
  return Object.assign(networks, {
    [Symbol.asyncDispose]: async () => {
      await dispose();
      removeKernelState(options);
    },
  });
}

/** A request with the usual values. */
export function sandboxRequest(containerName: string, change: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    containerId: Buffer.from(containerName).toString('hex').padEnd(64, '0').slice(0, 64),
    containerName,
    hostname: containerName,
    domainname: '',
    mode: 'networks',
    endpoints: [{ network: 'bridge' }],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    ...change,
  };
}

/** A published port; `hostPort` 0: a free one. */
export function port(
  containerPort: number,
  change: Partial<SandboxRequest['ports'][number]> = {},
): SandboxRequest['ports'][number] {
  const hostPort = change.hostPort ?? 0;
  return { containerPort, protocol: 'tcp', hostIp: '', hostPort, hostPortEnd: hostPort, ...change };
}

export function signal(): AbortSignal {
  return deadline(60_000);
}

export function ip(text: string): IpAddress {
  const address = parseAddress(text);
  assert.ok(address, text);
  return address;
}

function prefix(text: string): NonNullable<ReturnType<typeof parsePrefix>> {
  const value = parsePrefix(text);
  assert.ok(value, text);
  return value;
}

function linkIndex(socket: NetlinkSocket, name: string): number {
  const link = findLink(socket, name);
  assert.ok(link, name);
  return link.index;
}

function give(socket: NetlinkSocket, index: number, ipv4: string, ipv6: string): void {
  setAddress(socket, { index, address: ip(ipv4), prefixLength: 24 });
  setAddress(socket, { index, address: ip(ipv6), prefixLength: 64 });
}
