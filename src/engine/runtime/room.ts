import type { Logger } from '#base/logger.ts';
import type { Cgroups } from '#sys/cgroups.ts';
import type { ArrivalWatch } from '#sys/inotify.ts';

import type { EventLog } from '../events/event-log.ts';
import type { Images } from '../images/images.ts';
import type { LogShippers } from '../logs/shipping/log-shippers.ts';
import type { Networks } from '../network/networks.ts';
import type { PodSandboxes } from '../sandboxes/pod-sandboxes.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { RunPaths } from './bundle.ts';
import type { ContainerTable } from './container-table.ts';
import type { OciRuntimes } from './oci-runtimes.ts';
import type { RecordStore } from './record-store.ts';
import type { HostFacts } from './spec/host-facts.ts';
import type { UserMaps } from './user-maps.ts';

/** What the parts of the runtime share. */
export interface Room {
  readonly dataDir: string;
  readonly instance: string;
  readonly runtimes: OciRuntimes;
  readonly userMaps: UserMaps;
  readonly conmonPath: string;
  readonly snapshots: Snapshots;
  readonly images: Images;
  readonly networks: Networks;
  readonly sandboxes: Pick<PodSandboxes, 'get' | 'list'>;
  readonly volumes: Volumes;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly paths: RunPaths;
  readonly cgroups: Cgroups;
  readonly host: HostFacts;
  readonly records: RecordStore;
  readonly arrivals: ArrivalWatch;
  readonly table: ContainerTable;
  readonly shippers: LogShippers;
  /** journald's socket. */
  readonly journalSocket: string;
  /** Aborts when the room is closed: background work ends, containers run on. */
  readonly signal: AbortSignal;
}

/** The cgroup that holds those of all containers of an instance. */
export function parentCgroup(instance: string): string {
  return instance === '' ? '/slipway' : `/slipway-${instance}`;
}
