import type { SpecChanges } from '#docker/containers/changed-spec.ts';
import type { Collectable } from '#engine/collection/plan-collection.ts';

/** What the daemon says of itself on the control socket (`GET /status`). */
export interface StatusReport {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly root: string;
  readonly state: 'starting' | 'healthy' | 'degraded' | 'stopping';
  readonly planes: readonly PlaneReport[];
  readonly dockerSocket: string;
  /** Whether /var/run/docker.sock leads to `dockerSocket`. */
  readonly dockerSocketLinked: boolean;
  readonly containers: { readonly running: number; readonly total: number };
  readonly images: number;
}

export interface PlaneReport {
  readonly name: string;
  readonly state: 'healthy' | 'degraded';
  readonly message: string;
}

/** What can be reached of containers (`GET /exposed`). */
export interface ExposureReport {
  readonly ports: readonly ExposedPort[];
  /** Containers in the network of the host, by their first process. */
  readonly hostNetwork: readonly { readonly container: string; readonly pid: number }[];
  readonly respectHostFirewall: boolean;
  readonly dockerSocket: string;
  readonly controlSocket: string;
}

export interface ExposedPort {
  readonly container: string;
  readonly protocol: string;
  readonly hostIp: string;
  /** 0: reached at the container's own address only. */
  readonly hostPort: number;
  readonly containerPort: number;
  readonly containerAddress: string;
  readonly network: string;
  /** The daemon carries it, since the container has no address of this family. */
  readonly isRelayed: boolean;
  readonly trustedInterfaces: readonly string[];
}

/** What becomes of the containers when the daemon stops. */
export type ContainersFate = 'stop' | 'keep';

/** What a collection removed (`POST /registry/gc`). */
export interface RegistryGarbageReport {
  readonly blobs: number;
  readonly manifests: number;
  readonly bytes: number;
}

export interface BootstrapRequest {
  readonly suite: string;
  readonly tag: string;
}

/** One line of the answer to `POST /images/bootstrap`, JSON. */
export type BootstrapLine =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'done'; readonly imageId: string; readonly tag: string; readonly sizeBytes: number }
  | { readonly kind: 'error'; readonly reason: string; readonly message: string };

export function isContainersFate(text: string | null): text is ContainersFate {
  return text === 'stop' || text === 'keep';
}

/** `POST /containers/set`. Texts are '' for what stays as it is. */
export interface SetRequest extends SpecChanges {
  readonly name: string;
  readonly restart: string;
  readonly memory: string;
  readonly memorySwap: string;
  readonly cpus: string;
  readonly pidsLimit: string;
  readonly startFirst: boolean;
  readonly readySeconds: number;
  readonly drainSeconds: number;
}

export const listChanges = ['publishAdd', 'publishRemove', 'envAdd', 'envRemove', 'mountAdd', 'mountRemove'] as const;
export const textChanges = ['image', 'restart', 'memory', 'memorySwap', 'cpus', 'pidsLimit'] as const;

/** A layer that is not what its digest says. */
export interface DamagedLayer {
  readonly diffId: string;
  readonly damage: string;
  /** Names or short IDs of the images that stand on it. */
  readonly images: readonly string[];
}

/** One line of the answer to `POST /images/verify`, JSON. */
export type VerifyLine =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'done'; readonly layers: number; readonly damaged: readonly DamagedLayer[] }
  | { readonly kind: 'error'; readonly reason: string; readonly message: string };

/** One line of the answer to `POST /containers/set`, JSON. */
export type SetLine =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'done'; readonly id: string; readonly name: string }
  | { readonly kind: 'error'; readonly reason: string; readonly message: string };

/** The answer to `POST /gc`. */
export interface CollectionReport {
  /** What went, or would go, in order. */
  readonly items: readonly Collectable[];
  /** Bytes that came back. */
  readonly freedBytes: number;
}
