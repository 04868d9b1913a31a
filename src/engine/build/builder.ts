import type { Duplex } from 'node:stream';

import type { Descriptor, Digest, ImageConfig, ImageDefaults, Platform } from '#formats/oci.ts';
import type { LintWarning } from '#formats/dockerfile/lint/lint-dockerfile.ts';
import type { Reference } from '#formats/reference.ts';
import type { ContentStore } from '../images/content-store.ts';
import type { Attestation, RegistryAuth } from '../images/images.ts';
import type { ResourceLimits } from '../runtime/container.ts';
import type { NamedContext } from './named-context.ts';
import type { BuildPlan } from './plan.ts';

export interface BuildRequest {
  /** Directory that holds the context, unpacked; the builder never writes into it. */
  readonly contextDir: string;
  /** Path of the Dockerfile in the context, for messages. */
  readonly dockerfileName: string;
  readonly dockerfile: string;
  /** Familiar names to tag the result with. */
  readonly tags: readonly string[];
  /** undefined value: take it from nowhere (declared without a value). */
  readonly buildArgs: Readonly<Record<string, string | undefined>>;
  /** '' = the last stage. */
  readonly target: string;
  /** Further contexts by name (`--build-context`); FROM, `--from` and `from=` find them before stages and images. */
  readonly contexts?: Readonly<Record<string, NamedContext>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** Names of stages that are built without the cache (`--no-cache-filter`). */
  readonly noCacheStages?: readonly string[];
  /** Caches that steps are looked up in when this machine does not know them. */
  readonly cacheFrom?: readonly CacheSource[];
  readonly cacheTo?: readonly CacheTarget[];
  readonly pull: boolean;
  /** `default`, `none` or `host`, or a network's name. */
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes?: number;
  readonly limits?: ResourceLimits;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly platform?: Platform;
  /** Several in place of that one, each built for itself; only with `take`. */
  readonly platforms?: readonly Platform[];
  /** What RUN may do beyond the usual: BuildKit's `network.host` and `security.insecure`. */
  readonly entitlements?: readonly string[];
  readonly auth: (registry: string) => RegistryAuth | undefined | Promise<RegistryAuth | undefined>;
  /** Patterns of what the context lacks, instead of what its `.dockerignore` says. */
  readonly dockerignore?: string;
  /**
   * Takes the results, one for each platform, in place of this machine's images, which then get nothing; their layers stay
   * meanwhile.
   */
  readonly take?: (results: readonly BuildResult[], signal: AbortSignal) => Promise<void>;
  /** Events of stages that are built at once come as they happen, not one stage after the other. */
  readonly mixesEvents?: boolean;
  /** What the client lends while the build runs; without it there are no secrets and no SSH agents. */
  readonly session?: BuildSession;
}

/** Where steps are looked up: the name of an image or cache in a registry, or a cache in a store. */
export type CacheSource =
  | string
  | {
      /** For messages. */
      readonly name: string;
      readonly store: ContentStore;
      /** Of its manifest. */
      readonly digest: Digest;
    };

/** Where the steps of a build are told to other machines. */
export type CacheTarget =
  /** In the configuration of the image: those steps that made its own layers. */
  | { readonly kind: 'inline' }
  /** In a repository of its own, `max` with the steps of all stages. */
  | {
      readonly kind: 'registry';
      readonly reference: string;
      readonly mode: 'min' | 'max';
      /** Otherwise the build fails when the cache cannot be pushed. */
      readonly ignoresErrors: boolean;
    }
  | {
      readonly kind: 'store';
      /** For messages. */
      readonly name: string;
      readonly store: ContentStore;
      readonly mode: 'min' | 'max';
      readonly ignoresErrors: boolean;
      /** Told what describes the manifest of the cache. */
      readonly onStored: (manifest: Descriptor) => void;
    };

/** Secrets and SSH agents of the one who builds, asked for when a RUN that mounts them is really carried out. */
export interface BuildSession {
  /** The bytes of a secret; undefined: the client has none of this ID. */
  secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Whether the client forwards an SSH agent of this ID (`default` when the Dockerfile names none). */
  hasSshAgent(id: string, signal: AbortSignal): Promise<boolean>;
  /** One connection to that agent, bytes as ssh-agent has them; ends when either side does, or by the signal. */
  connectSshAgent(id: string, signal: AbortSignal): Promise<Duplex>;
}

export interface BuildResult {
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** The images that it was made from, or that something was copied from. */
  readonly bases: readonly BaseImage[];
  /** undefined: no files at all. */
  readonly topLayer: Digest | undefined;
  /** Its files under one root, which goes when it is disposed of. */
  openFiles(): Promise<{ readonly root: string } & AsyncDisposable>;
  /**
   * What a scanner says of its files, and of stages and the context where the Dockerfile asks for that. Throws
   * InvalidArgument for a scanner that fails, and what the pull of it throws.
   */
  scan(scanner: Scanner, onOutput: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<readonly Attestation[]>;
}

/** An image that lists the packages in folders of files (buildkit: docs/attestations/sbom-protocol.md). */
export interface Scanner {
  readonly generator: string;
  /** Further variables, which it gets as `BUILDKIT_SCAN_<name>`. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface BaseImage {
  readonly reference: Reference;
  readonly platform: Platform;
  /** Of the manifest or index that its repository has; undefined for an image that was made here. */
  readonly digest: Digest | undefined;
}

/** What the builder says while it works, and which step it is about. */
export type BuildEvent = BuildNews & {
  /** As in `PlannedStage.firstStep`; absent for the build as a whole. */
  readonly step?: number;
  /** Which of the request's `platforms` it is about. */
  readonly platform?: Platform;
};

type BuildNews =
  /** Comes first, and again when the build begins anew. */
  | { readonly kind: 'plan'; readonly plan: BuildPlan }
  | {
      readonly kind: 'step';
      readonly number: number;
      readonly total: number;
      readonly text: string;
      readonly stage: string;
    }
  | { readonly kind: 'cached' }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  /** The step is done. */
  | { readonly kind: 'layer'; readonly id: string }
  /** The step failed; `canceled`: because another one did, or the client went away. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly canceled: boolean }
  /** `lint`: what it says comes from a build check. */
  | { readonly kind: 'warning'; readonly text: string; readonly lint?: LintWarning }
  | {
      readonly kind: 'progress';
      readonly id: string;
      readonly status: string;
      readonly currentBytes?: number;
      readonly totalBytes?: number;
    }
  | { readonly kind: 'built'; readonly imageId: Digest };

export interface Builder {
  /** Throws InvalidArgument with `problems` at `Dockerfile:<line>` and an excerpt for a Dockerfile that is wrong. Returns the image's ID. */
  build(request: BuildRequest, onEvent: (event: BuildEvent) => void, signal: AbortSignal): Promise<Digest>;
  /**
   * What the build checks say of a Dockerfile, without building it (`docker build --check`); of base images that are
   * not here no variable is known, and none is missed. Throws InvalidArgument for a Dockerfile that is wrong.
   */
  check(request: BuildRequest): readonly LintWarning[];
  /**
   * What a build can read of its context: clean relative paths that may end in wildcards of one segment; what lies below
   * them belongs to them. undefined: all of it, or nobody can tell yet. The request's context need not be there.
   */
  contextPaths(request: Omit<BuildRequest, 'contextDir'>): readonly string[] | undefined;
  /**
   * Brings a context from afar into an empty folder: a git repository (`https://host/app.git#ref:folder`), or by http(s) an
   * archive or a lone Dockerfile. Returns the path of the context, which lies in the folder. Throws InvalidArgument,
   * NotFound, Unavailable.
   */
  fetchContext(
    url: string,
    context: { readonly folder: string; readonly session?: BuildSession; readonly keepGitDir?: boolean },
    signal: AbortSignal,
  ): Promise<string>;
  /** What the build cache holds, the least recently used first. */
  cacheEntries(signal: AbortSignal): Promise<readonly CacheEntry[]>;
  /**
   * Deletes entries of the build cache that are not in use, the least recently used first. Returns their IDs and the
   * bytes freed.
   */
  pruneCache(
    options: CachePrune,
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly string[]; readonly freedBytes: number }>;
}

/** Something that the build cache holds: what a step made, or a folder of `RUN --mount=type=cache`. */
export interface CacheEntry {
  /** 25 characters, as BuildKit's. */
  readonly id: string;
  readonly kind: 'step' | 'mount';
  readonly description: string;
  /** IDs of the entries that it stands on. */
  readonly parents: readonly string[];
  readonly inUse: boolean;
  /** An image has its files too, so that removing it frees nothing. */
  readonly shared: boolean;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly usedAtMs: number;
  readonly uses: number;
}

/** What to delete of the build cache; BuildKit's rules for space, where 0 is no rule, and without rules all of it goes. */
export interface CachePrune {
  readonly only?: (entry: CacheEntry) => boolean;
  /** Bytes that may always stay. */
  readonly reservedBytes?: number;
  /** Bytes that the cache may have at most. */
  readonly maxUsedBytes?: number;
  /** Bytes of the disk that should be free. */
  readonly minFreeBytes?: number;
}

/** One RUN instruction to execute; what the builder needs of the runtime. */
export interface StepRun {
  /** ID of the writable snapshot that is its root. */
  readonly snapshotId: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly defaults: ImageDefaults;
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  /** `RUN --security=insecure`. */
  readonly privileged: boolean;
  readonly hostname: string;
  readonly shmSizeBytes: number;
  readonly limits: ResourceLimits;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly mounts: readonly StepMount[];
  /** Like `env`, and never written to a disk. */
  readonly secretEnv: readonly string[];
  /** Files that only this step sees, and that are never written to a disk. */
  readonly secretFiles: readonly SecretFile[];
}

/** A mount of a build step: `RUN --mount`. */
export interface StepMount {
  readonly type: 'bind' | 'tmpfs';
  readonly source: string;
  /** The snapshot that `source` is of, if it is of one. */
  readonly snapshotId?: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly tmpfsSizeBytes?: number;
}

export interface SecretFile {
  /** Absolute in the container. */
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface StepRunner {
  /** Whether programs of that architecture run here, by the processor or by an emulator that is registered. */
  canRun(architecture: string): boolean;
  /** Runs to the end and returns the exit code (137 when killed by the signal); output is given as it comes. */
  run(step: StepRun, onOutput: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<number>;
}
