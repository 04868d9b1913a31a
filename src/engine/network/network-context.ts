import type { Logger } from '#base/logger.ts';
import type { NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import type { TableImage } from '#sys/nft/table.ts';

import type { EventLog } from '../events/event-log.ts';
import type { Forwarder } from './dns/forwarder.ts';
import type { Firewall } from './firewall.ts';
import type { HostEtc } from './host-files.ts';
import type { NetworkState } from './network-state.ts';
import type { PortAllocator } from './ports/port-allocator.ts';
import type { SandboxRecords } from './sandbox-record.ts';

/** What the parts of this room share. */
export interface NetworkContext {
  readonly state: NetworkState;
  readonly records: SandboxRecords;
  /** Serves the host's network namespace. */
  readonly socket: NetlinkSocket;
  /** The redirection of name queries, in each container's namespace. */
  readonly nameTable: TableImage;
  readonly firewall: Firewall;
  readonly ports: PortAllocator;
  readonly forwarder: Forwarder;
  readonly etc: HostEtc;
  /** Folder of the pinned namespaces. */
  readonly netnsFolder: string;
  /** Host address of ports that name none, on networks that name none; '' = all. */
  readonly publishAddress: string;
  /** Published ports are relayed to clients from outside. */
  readonly respectHostFirewall: boolean;
  /** Bytes of the largest packet on networks that say nothing about it. */
  readonly hostMtu: number;
  readonly events: EventLog;
  readonly logger: Logger;
}
