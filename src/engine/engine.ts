import type { Logger } from '#base/logger.ts';
import type { Builder } from './build/builder.ts';
import type { EventLog } from './events/event-log.ts';
import type { Images } from './images/images.ts';
import type { LogConfig } from './logs/log-config.ts';
import type { Networks } from './network/networks.ts';
import type { Containers } from './runtime/containers.ts';
import type { OciRuntimes, RuntimeChoice } from './runtime/oci-runtimes.ts';
import type { PodSandboxes } from './sandboxes/pod-sandboxes.ts';
import type { Snapshots } from './snapshots/snapshots.ts';
import type { Volumes } from './volumes/volumes.ts';

export interface EngineOptions {
  /** Durable state. Absolute, on a filesystem that overlayfs can use as upper directory. */
  readonly dataDir: string;
  /** Sockets, pinned namespaces, exit codes: gone after a reboot. Absolute and short (socket paths end at 107 bytes). */
  readonly runDir: string;
  /** Distinguishes instances on one machine in the names of kernel objects: '' or 1 to 6 of `[a-z0-9]`. */
  readonly instance: string;
  readonly runtimes: RuntimeChoice;
  readonly conmonPath: string;
  /** Whose subordinate users and groups containers get: '', `default`, or `USER[:GROUP]`; see `UserMapOptions`. */
  readonly usernsRemap: string;
  /** Where `subuid` and `subgid` may be, the first that has one counts. */
  readonly etcFolders: readonly string[];
  /** Address pools for networks without a subnet of their own, as `base/len` split into subnets of `size`. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  /** Host address of published ports that name none; '' = all. */
  readonly publishAddress: string;
  /** Published ports pass the host's rules for incoming packets, by a relay. */
  readonly respectHostFirewall: boolean;
  /** Registries that may be spoken to without TLS, `host[:port]`; loopback always may. */
  readonly insecureRegistries: readonly string[];
  /** Registries that are asked before others, and certificates for them; see `ImagesOptions`. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  readonly certificatesPath?: string;
  /** Disk for compressed layers that are kept beside the unpacked ones; see `ImagesOptions`. */
  readonly blobCacheBytes: number;
  readonly proxy: ProxySettings;
  /** For containers that name no log driver; its options, for those of the same driver. */
  readonly defaultLog: LogConfig;
  /** journald's socket, for the log driver of that name. */
  readonly journalSocket: string;
  readonly logger: Logger;
}

/** Of pulls, pushes and ADD, as in an environment; '' = none. Loopback is never asked through a proxy. */
export interface ProxySettings {
  readonly HTTP_PROXY: string;
  readonly HTTPS_PROXY: string;
  readonly NO_PROXY: string;
}

/** Containers on one machine; knows nothing of Kubernetes or of Docker's HTTP. */
export interface Engine extends AsyncDisposable {
  readonly options: EngineOptions;
  readonly runtimes: Pick<OciRuntimes, 'default' | 'names'>;
  readonly images: Images;
  readonly snapshots: Snapshots;
  readonly containers: Containers;
  readonly networks: Networks;
  readonly sandboxes: PodSandboxes;
  readonly volumes: Volumes;
  readonly builder: Builder;
  readonly events: EventLog;
}
