/** A named volume of the local driver. */
export interface Volume {
  readonly name: string;
  /** Absolute path of its data. */
  readonly mountpoint: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The local driver's options as given: `type`, `o`, `device`. */
  readonly options: Readonly<Record<string, string>>;
  /** Made without a name, by an image's VOLUME or `-v /path`; removed with its container when asked. */
  readonly anonymous: boolean;
}

export interface NewVolume {
  /** Docker's pattern `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; without it a random 64-digit name and `anonymous`. */
  readonly name?: string;
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
  /** Bytes on disk. */
  sizeBytes(name: string, signal: AbortSignal): Promise<number>;

  /** Notes that a container uses the volume (kept durably with the container, told again at start). */
  hold(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  holders(name: string): readonly string[];

  /** Makes the data reachable (mounts tmpfs, nfs, bind options once) and returns the path to bind from. */
  open(name: string): Promise<string>;
  /**
   * Docker's copy-up: when the volume is empty, copies what the image has at `source` (a directory below a mounted
   * root) into it, with owners, modes and xattrs.
   */
  copyUp(name: string, root: string, path: string, signal: AbortSignal): Promise<void>;
}
