import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Logger } from '#base/logger.ts';
import { makeFolderDurably } from '#sys/durable-file.ts';
import { openCgroups } from '#sys/cgroups.ts';
import { ArrivalWatch } from '#sys/inotify.ts';

import type { EventLog } from '../events/event-log.ts';
import type { Images } from '../images/images.ts';
import { LogShippers } from '../logs/shipping/log-shippers.ts';
import type { Networks } from '../network/networks.ts';
import type { PodSandboxes } from '../sandboxes/pod-sandboxes.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { runPaths } from './bundle.ts';
import { ContainerTable } from './container-table.ts';
import type { Containers } from './containers.ts';
import { LiveContainer } from './live-container.ts';
import { LocalContainers } from './local-containers.ts';
import type { OciRuntimes } from './oci-runtimes.ts';
import { RecordStore } from './record-store.ts';
import type { Room } from './room.ts';
import { readHostFacts } from './spec/host-facts.ts';
import type { UserMaps } from './user-maps.ts';

export interface ContainersOptions {
  /** Durable: records and logs. This room's own. */
  readonly dataDir: string;
  /** Gone after a reboot: bundles, exit codes. Absolute and short. */
  readonly runDir: string;
  readonly instance: string;
  readonly runtimes: OciRuntimes;
  readonly userMaps: UserMaps;
  readonly conmonPath: string;
  /** journald's socket. */
  readonly journalSocket: string;
  readonly snapshots: Snapshots;
  readonly images: Images;
  readonly networks: Networks;
  readonly sandboxes: PodSandboxes;
  readonly volumes: Volumes;
  readonly events: EventLog;
  readonly logger: Logger;
}

/** Opens the containers of a data folder; call `reconcile` before anything else. Closing leaves them running. */
export async function openContainers(
  options: ContainersOptions,
  signal: AbortSignal,
): Promise<Containers & AsyncDisposable> {
  signal.throwIfAborted();
  await makeFolderDurably(options.dataDir);
  const paths = runPaths(options.runDir);
  mkdirSync(paths.exits, { recursive: true, mode: 0o700 });
  const closing = new AbortController();
  const room: Room = {
    ...options,
    paths,
    cgroups: openCgroups(),
    host: readHostFacts(),
    records: new RecordStore(join(options.dataDir, 'records'), join(options.runDir, 'unwritten'), options.logger),
    arrivals: new ArrivalWatch(),
    table: new ContainerTable(),
    shippers: new LogShippers({
      folder: join(options.dataDir, 'shipping'),
      journalSocket: options.journalSocket,
      logger: options.logger,
    }),
    signal: closing.signal,
  };
  for (const record of await room.records.load()) room.table.add(new LiveContainer(record));
  return new LocalContainers(room, closing);
}
