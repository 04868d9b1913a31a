import type { Digest } from '#formats/oci.ts';

/** A committed, immutable layer with all below it: what `sha256(chain + " " + diffId)` names (OCI config.md, ChainID). */
export interface Layer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** Bytes of the files in this layer alone, uncompressed. */
  readonly sizeBytes: number;
}

export type ChangeKind = 'modified' | 'added' | 'deleted';

/** A difference between a writable snapshot and what lies below it. */
export interface Change {
  /** Absolute within the root, such as `/etc/hosts`. */
  readonly path: string;
  readonly kind: ChangeKind;
}

/**
 * Layers that are made one upon the other, and wait for the disk together. What is not committed when the group is
 * disposed of is gone, as it is after a crash. Its methods may be called at once and take turns.
 */
export interface LayerGroup extends AsyncDisposable {
  /** As `Snapshots.unpack`, but `parent` may be of this group, and nobody else sees the layer before `commit`. */
  unpack(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    diffId: Digest | undefined,
    signal: AbortSignal,
  ): Promise<Layer>;
  /** Makes what was unpacked so far durable, and seen by all. */
  commit(): Promise<void>;
}

export interface MountHow {
  /** Programs' fsyncs do nothing, for build steps; a crash of the machine while it is mounted makes it unusable. */
  readonly volatile?: boolean;
  /**
   * Whose its files are: the owners on the disk, or those that the user namespace behind a descriptor maps them to. What is
   * written is on the disk as its inside has it, so that layers know nothing of the mapping. It is mounted anew for that.
   */
  readonly owners?: 'stored' | number;
}

/**
 * Filesystem layers on overlayfs. A writable snapshot has an ID of the caller's choosing (a container's or a build
 * step's) and survives restarts; its mount does not survive a reboot and is made again by `mount`.
 * Tar streams here are uncompressed. All methods are safe to call at once for different IDs.
 */
export interface Snapshots {
  layer(chainId: Digest): Layer | undefined;
  layers(): readonly Layer[];

  /**
   * Unpacks an uncompressed layer tar on top of `parent` and commits it durably. Hashes while unpacking; throws Damaged
   * when `diffId` is given and differs, or the tar is broken, InvalidArgument when it would escape the root; nothing
   * is left behind then. A layer that exists already is returned (the tar is drained and checked all the same). A chunk of
   * the tar is done with when the next is asked for; a long `ArchiveFile` is unpacked on a thread of its own.
   */
  unpack(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    diffId: Digest | undefined,
    signal: AbortSignal,
  ): Promise<Layer>;

  /** Layers that are made together: see `LayerGroup`. */
  group(): LayerGroup;

  /** The layer's tar, uncompressed, byte for byte what `diffId` names. */
  pack(chainId: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Compares a layer on the disk with its digests, and remembers what it finds: a damaged one is mounted no more, also
   * after a restart. Returns what is wrong; undefined for nothing. Throws NotFound.
   */
  verify(chainId: Digest, signal: AbortSignal): Promise<string | undefined>;

  /** Removes a layer that no other layer and no writable snapshot stands on; throws Conflict else. */
  removeLayer(chainId: Digest): Promise<void>;

  /** Makes an empty writable snapshot on `parent` (undefined: on nothing). Throws Conflict when the ID exists. */
  create(id: string, parent: Digest | undefined): Promise<void>;

  /**
   * Throws Damaged for a layer that is known to be damaged, or whose files are gone.
   * Mounts the snapshot and returns the absolute path of its merged root. One that is mounted stays as it is, unless `how`
   * says whose its files are.
   */
  mount(id: string, how?: MountHow): string;
  /** Unmounts the snapshot (idempotent), lazily when it is busy. */
  unmount(id: string): void;
  /** Absolute path of the writable upper directory. */
  upperPath(id: string): string;
  isMounted(id: string): boolean;

  changes(id: string, signal: AbortSignal): Promise<readonly Change[]>;
  /** Bytes of the files in the upper directory. */
  writtenBytes(id: string, signal: AbortSignal): Promise<number>;

  /**
   * Turns the snapshot into a committed layer on its parent and removes it; the files are moved, not copied. For
   * snapshots that nothing writes to any more (build steps).
   */
  commit(id: string, signal: AbortSignal): Promise<Layer>;
  /** Copies the snapshot's present difference into a committed layer and leaves the snapshot as it is. */
  commitCopy(id: string, signal: AbortSignal): Promise<Layer>;

  /** Unmounts and deletes the snapshot (idempotent). */
  remove(id: string): Promise<void>;
  /** IDs of all writable snapshots, for the reconciliation at start. */
  writables(): readonly string[];
}
