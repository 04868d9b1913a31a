import type { InstancePaths } from '#app/instance-paths.ts';

export interface Finding {
  /** `warn`: it works, but not as it could; `fail`: something that slipway promises does not work. */
  readonly state: 'ok' | 'warn' | 'fail';
  /** What was found, with numbers and names. */
  readonly text: string;
  /** The command that mends it. */
  readonly fix?: string;
}

/** What checks may ask of the machine; tests answer in its place. */
export interface Host {
  readonly paths: InstancePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: number;
  /** The content of a file, undefined when it is not there or not readable. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Where a symbolic link points, undefined for anything else. */
  linkTarget(path: string): string | undefined;
  /** The first line that a program prints for `--version`, undefined when it does not run. */
  version(program: string): Promise<string | undefined>;
  /** Whether a program is on the path, or where only root looks. */
  hasProgram(program: string): boolean;
  /** Bytes of a filesystem that a path lies on. */
  diskSpace(path: string): { readonly freeBytes: number; readonly totalBytes: number };
  /** Mounts an overlay on the filesystem of the data and takes it away again; the error when that fails. */
  tryOverlay(): string | undefined;
  /** Lists chains by nftables in process; the error when that fails. */
  chains(): readonly Chain[] | { readonly error: string };
}

export interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: string | undefined;
  readonly policy: string | undefined;
}

export interface Check {
  /** Two or three words. */
  readonly name: string;
  run(host: Host): Finding | Promise<Finding>;
}
