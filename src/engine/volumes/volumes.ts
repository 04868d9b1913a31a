/** A named volume of the local driver. */
export interface Volume {
  readonly name: string;
  /** Absolute path of its data. */
  readonly mountpoint: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The local driver's options as given: `type`, `o`, `device`, `size`. */
  readonly options: Readonly<Record<string, string>>;
  /** Made without a name, by an image's VOLUME or `-v /path`; removed with its container when asked. */
  readonly anonymous: boolean;
}

export interface NewVolume {
  /** Docker's pattern `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; without it a random 64-digit name and `anonymous`. */
  readonly name?: string;
  /** Nobody asked for the name: it was made up before the volume. */
  readonly anonymous?: boolean;
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

export interface Volumes {
  /** Throws NotFound `get <name>: no such volume`. */
  get(name: string): Volume;
  find(name: string): Volume | undefined;
  list(): readonly Volume[];
  /** Idempotent for the same name and options; Conflict when the options differ, InvalidArgument for a bad name. */
  create(volume: NewVolume): Promise<Volume>;
  /** Throws Conflict while containers hold it. */
  remove(name: string, force: boolean): Promise<void>;
  /** Removes what no container holds: anonymous volumes, or all. */
  prune(all: boolean): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }>;
  /** Bytes on the disk, as du(1) counts them; 0 for data that lies elsewhere. */
  sizeBytes(name: string, signal: AbortSignal): Promise<number>;
  /** What can be said of a volume with options: whether it is mounted, and its limit. */
  status(name: string): Readonly<Record<string, string | number | boolean>> | undefined;
  /** Changes the limit of a volume that has one, also while it is used. */
  resize(name: string, size: string): Promise<void>;

  /** Notes that a container uses the volume (kept durably with the container, told again at start). */
  hold(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  holders(name: string): readonly string[];

  /**
   * Makes the data reachable for a user, mounting what the options say when it is the first, and returns the path to
   * bind from. Throws in Docker's words when it cannot be mounted.
   */
  open(name: string, user: string, signal: AbortSignal): Promise<string>;
  /** The user is gone; after the last one nothing stays mounted. Idempotent. */
  close(name: string, user: string): Promise<void>;
  /** At start, after all users were told again: what an earlier life left mounted goes. */
  closeUnused(): Promise<void>;
  /**
   * Docker's copy-up: when the volume is empty, copies what the image has at `source` (a directory below a mounted
   * root) into it, with owners, modes and xattrs.
   */
  copyUp(name: string, root: string, path: string, signal: AbortSignal): Promise<void>;

  /** The data as an uncompressed tar: owners, modes, times, xattrs, hard links, holes. */
  backup(name: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Replaces the data by an archive's, whole or not at all; a volume that is not there is made. Throws Conflict when it
   * holds something (unless `force`) or a running container uses it, Damaged for a broken archive.
   */
  restore(
    name: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly force: boolean },
    signal: AbortSignal,
  ): Promise<Volume>;
}
