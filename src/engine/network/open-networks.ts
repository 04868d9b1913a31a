import { mkdirSync } from 'node:fs';

import { every } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { removeLink } from '#sys/netlink/link.ts';
import { openFilterSocket } from '#sys/nft/rules.ts';
import { compileTable } from '#sys/nft/table.ts';

import type { EventLog } from '../events/event-log.ts';
import { ensureBridge, ownBridges } from './bridge.ts';
import { BridgeNetworks } from './bridge-networks.ts';
import { missingPredefined } from './define-network.ts';
import { DefinitionStore } from './definition-store.ts';
import { Forwarder } from './dns/forwarder.ts';
import { nameTableText } from './dns/name-server.ts';
import { Firewall, type FirewallState } from './firewall.ts';
import { HostEtc } from './host-files.ts';
import { enableForwarding, enableIpv6Forwarding, hostMtu, hostSubnets } from './host-network.ts';
import { instanceNames, type InstanceNames } from './instance-names.ts';
import type { NetworkContext } from './network-context.ts';
import { defaultNetworkName, type NetworkDefinition } from './network-definition.ts';
import { NetworkState } from './network-state.ts';
import type { Networks } from './networks.ts';
import { PortAllocator } from './ports/port-allocator.ts';
import { networkElements, rulesetText } from './ruleset.ts';
import { SandboxRecords } from './sandbox-record.ts';
import { publishedElements } from './sandbox-setup.ts';
import { type AddressPool, defaultAddressPools, ownPrefixes } from './subnet-plan.ts';

export interface NetworksOptions {
  /** Folder of this room for the definitions of networks. */
  readonly dataDir: string;
  /** Folder for pinned namespaces and records of what runs. */
  readonly runDir: string;
  /** '' or 1 to 6 of `[a-z0-9]`. */
  readonly instance: string;
  /** Empty: Docker's own. */
  readonly addressPools: readonly AddressPool[];
  /** Host address of ports that name none, on networks that name none; '' (if left away): all. */
  readonly publishAddress?: string;
  /** Published ports pass the host's rules for incoming packets, by a relay; false if left away. */
  readonly respectHostFirewall?: boolean;
  readonly events: EventLog;
  readonly logger: Logger;
  /** Where the host's hosts and resolv.conf are. */
  readonly etcDir?: string;
}

/** How often it is seen to that nobody took our firewall rules away; looking costs two system calls. */
const healPeriodMs = 1_000;

/**
 * Opens the networks of this machine: bridges and firewall rules are as the definitions say when it returns. Containers of
 * an earlier process are served again after `reconcile`. Closing leaves all kernel state, so that containers go on.
 */
export async function openNetworks(options: NetworksOptions, signal: AbortSignal): Promise<Networks & AsyncDisposable> {
  signal.throwIfAborted();
  const { logger } = options;
  const names = instanceNames(options.instance, options.runDir);
  const pools = options.addressPools.length > 0 ? options.addressPools : defaultAddressPools;
  const definitions = new DefinitionStore(options.dataDir);
  const loaded = await definitions.load(logger);
  await using opened = new AsyncDisposableStack();
  const socket = opened.use(openRouteSocket());
  const filter = opened.use(openFilterSocket());
  const forwarder = opened.use(new Forwarder());
  const state = new NetworkState();
  const context: NetworkContext = {
    state,
    records: new SandboxRecords(names.recordFolder),
    socket,
    nameTable: compileTable(nameTableText),
    firewall: new Firewall({
      socket: filter,
      table: compileTable(rulesetText(names.table, options.respectHostFirewall ?? false)),
      state: () => firewallState(state),
      logger,
    }),
    ports: new PortAllocator(),
    forwarder,
    etc: new HostEtc(options.etcDir ?? '/etc'),
    netnsFolder: names.netnsFolder,
    publishAddress: options.publishAddress ?? '',
    respectHostFirewall: options.respectHostFirewall ?? false,
    hostMtu: hostMtu(socket),
    events: options.events,
    logger,
  };
  mkdirSync(names.netnsFolder, { recursive: true, mode: 0o700 });
  for (const definition of loaded) state.definitions.set(definition.id, definition);
  await addPredefined(context, definitions, names, pools);
  for (const record of context.records.load(logger)) state.set(record);
  prepareHost(context, names.table);
  opened.use(every(healPeriodMs, () => heal(context)));
  return new BridgeNetworks({ context, definitions, pools, owner: names.table, owned: opened.move() });
}

async function addPredefined(
  { state, socket }: NetworkContext,
  definitions: DefinitionStore,
  names: InstanceNames,
  pools: readonly AddressPool[],
): Promise<void> {
  const existing = [...state.definitions.values()];
  const bridges = new Set([names.defaultBridge, ...existing.map(({ bridgeName }) => bridgeName)]);
  const taken = { own: ownPrefixes(existing), host: hostSubnets(socket, bridges) };
  for (const definition of missingPredefined(existing, names.defaultBridge, pools, taken)) {
    await definitions.save(definition);
    state.definitions.set(definition.id, definition);
  }
}

/** Brings the kernel into the state that the definitions and records describe. */
function prepareHost(context: NetworkContext, owner: string): void {
  const { state, socket, logger } = context;
  if (enableForwarding()) logger.info('switched on IP forwarding');
  const networks = [...state.definitions.values()].filter(({ driver }) => driver === 'bridge');
  const known = new Set(networks.map(({ bridgeName }) => bridgeName));
  for (const link of ownBridges(socket, owner)) if (!known.has(link.name)) removeLink(socket, link.index);
  for (const network of networks) ensure(context, network, owner);
  if (networks.some(({ enableIPv6 }) => enableIPv6)) enableIpv6Forwarding(socket);
  context.firewall.rebuild();
  context.firewall.updateHost();
}

/** Without its default network an engine is of no use; without another, the rest is. */
function ensure({ socket, hostMtu, logger }: NetworkContext, network: NetworkDefinition, owner: string): void {
  try {
    ensureBridge(socket, network, hostMtu, owner);
  } catch (error) {
    if (network.name === defaultNetworkName || !(error instanceof StatusError)) throw error;
    logger.error('a network has no bridge', { network: network.name, error });
  }
}

function firewallState(state: NetworkState): FirewallState {
  const networks = [...state.definitions.values()];
  return {
    elements: [
      ...networks.flatMap(networkElements),
      ...[...state.records.values()].flatMap((record) => publishedElements(state, record)),
    ],
    bridgeNames: networks.filter(({ driver }) => driver === 'bridge').map(({ bridgeName }) => bridgeName),
  };
}

function heal({ firewall, logger }: NetworkContext): void {
  try {
    firewall.heal();
    if (enableForwarding()) logger.warn('somebody switched IP forwarding off; it is on again');
  } catch (error) {
    logger.error('cannot check the firewall rules of container networks', { error });
  }
}
