import type { Descriptor, Digest, ImageConfig, ImageDefaults, Platform } from '#formats/oci.ts';
import type { Reference } from '#formats/reference.ts';
import type { ContentStore } from './content-store.ts';

/** An image on this machine. */
export interface Image {
  /** The digest of the configuration's bytes. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** The configuration exactly as stored. */
  readonly configBytes: Uint8Array;
  /** Familiar names with tags, such as `debian:12` or `localhost:5000/app:1`. */
  readonly tags: readonly string[];
  /** Familiar names with digests of the manifests that it was pulled or pushed by. */
  readonly repoDigests: readonly string[];
  /** ChainID of the topmost layer; undefined for an image without layers (`FROM scratch` only). */
  readonly topLayer: Digest | undefined;
  /** Sum of the layers' bytes, uncompressed. */
  readonly sizeBytes: number;
  readonly parent: Digest | undefined;
  /** Nanoseconds since the epoch of the last tag, 0n when never tagged. */
  readonly lastTaggedNs: bigint;
}

/** What a registry says of a reference. */
export interface RegistryImage {
  readonly descriptor: Descriptor;
  readonly platforms: readonly Platform[];
}

/** A repository that a registry found. */
export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

/** What a name stands for, as its registry or archive described it. */
export interface ImageManifests {
  /** The index, or the manifest when there is none. */
  readonly target: Descriptor;
  /** An image for each manifest, and the entries of the index that are not here. */
  readonly entries: readonly ImageManifest[];
}

export interface ImageManifest {
  /** An image that was made here has no manifest before it is pushed: its configuration stands for it. */
  readonly descriptor: Descriptor;
  /** Undefined when it is not on this machine, or is no image but says something of one. */
  readonly image: Image | undefined;
  /** Bytes of manifest, configuration and compressed layers that are kept here; 0: nothing of it is. */
  readonly contentBytes: number;
}

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** Progress as `docker pull` shows it, one line per `id`. */
export interface TransferProgress {
  /** A short layer ID, a tag, or '' for a line of its own. */
  readonly id: string;
  /** Docker's words: `Pulling fs layer`, `Downloading`, `Pull complete`, `Layer already exists`, `Pushed`, ... */
  readonly status: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export type OnProgress = (progress: TransferProgress) => void;

export interface RemovedImage {
  readonly untagged?: string;
  readonly deleted?: Digest;
}

export interface NewImage {
  readonly config: ImageConfig;
  readonly parent?: Digest;
  /** Tags to give it at once. */
  readonly tags?: readonly Reference[];
  /** What is claimed of it; goes with the tags to registries and archives. */
  readonly attestations?: readonly Attestation[];
  /** Images of other platforms that the tags stand for as well. */
  readonly others?: readonly Pick<NewImage, 'config' | 'attestations'>[];
}

/** What somebody claims of an image (in-toto attestation: the statement without its subject). */
export interface Attestation {
  /** A URI. */
  readonly predicateType: string;
  /** JSON. */
  readonly predicate: Uint8Array;
}

/** An image to save that has the names in the archive only. */
export interface SavedPlatform {
  readonly id: Digest;
  readonly attestations: readonly Attestation[];
}

/** Who else uses images: containers. Asked before an image is removed. */
export interface ImageUsers {
  /** Containers of the image: their short IDs and whether they run. */
  usersOf(imageId: Digest): readonly { readonly id: string; readonly running: boolean }[];
}

/** Layers that are here, and a document about them, which together are no image. */
export interface LayerArtifact {
  /** Each after the one that it stands on; the same bytes may be there twice. 127 at most. */
  readonly layers: readonly {
    readonly chainId: Digest;
    readonly diffId: Digest;
    readonly parent: Digest | undefined;
  }[];
  readonly documentType: string;
  readonly document: Uint8Array;
}

/** An image or an artifact of layers in a registry or a store. */
export interface RemoteLayers {
  /** Media type of the configuration, which is an image's or another document. */
  readonly documentType: string;
  readonly document: Uint8Array;
  readonly layerCount: number;
  /**
   * Brings a chain of layers here, from the lowest; `blob` is a layer's place in the manifest. The topmost is
   * returned. Throws Damaged when their bytes are not those of the diffIDs.
   */
  fetch(
    layers: readonly { readonly diffId: Digest; readonly blob: number }[],
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<HeldLayer>;
}

/** A layer that stays until it is disposed of. */
export interface HeldLayer extends Disposable {
  readonly chainId: Digest;
}

/**
 * The images of this machine: tags and configurations over content-addressed layers. Every change is durable when its
 * promise resolves. Registries on loopback are spoken to by HTTP when HTTPS does not answer.
 */
export interface Images {
  /** Absolute: a folder beside the data for files that live as long as one operation. Emptied at the start. */
  readonly scratchDir: string;

  /**
   * By tag, by `name@digest`, by ID or a unique prefix of it; without a platform that of this machine, when the name
   * stands for several. Throws NotFound `No such image: <name>`, also for a platform that is not here.
   */
  get(name: string, platform?: Platform): Image;
  find(name: string, platform?: Platform): Image | undefined;
  /** Throws NotFound. */
  manifests(name: string): Promise<ImageManifests>;
  list(): readonly Image[];

  /**
   * Keeps a layer and all below it when images on it are removed, until disposed: for work that is to add an image on
   * it. Also keeps the layer when it does not exist yet.
   */
  hold(chainId: Digest): Disposable;
  /**
   * Adds an image, and those of other platforms, whose layers (by diffID chain) are in the snapshots already; the same
   * bytes give the same image. Returns the first.
   */
  add(image: NewImage, signal: AbortSignal): Promise<Image>;
  tag(name: string, reference: Reference): Promise<void>;
  /**
   * Docker's `rmi`: untags, and deletes when nothing names it any more; Conflict when a container uses it. With
   * `platforms` the name stays for those of others.
   */
  remove(
    name: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly platforms?: readonly Platform[] },
    signal: AbortSignal,
  ): Promise<readonly RemovedImage[]>;
  /** Removes untagged images (or all that no container uses) that pass `only`; returns them and the bytes freed. */
  prune(
    options: { readonly danglingOnly: boolean; readonly only?: (image: Image) => boolean },
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly RemovedImage[]; readonly freedBytes: number }>;

  pull(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Image>;
  /**
   * Pushes one tag; returns the digest and size of its manifest, or of the index: that it was pulled by when all of its
   * images are here, or a new one for several images that came together otherwise, or of which something is claimed.
   * Throws Conflict when only some images of its index are here and no platform chooses one.
   */
  push(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number }>;
  /** Pushes layers with a document under a tag, as something that is no image (OCI artifact). */
  pushArtifact(
    reference: Reference,
    artifact: LayerArtifact,
    options: { readonly auth?: RegistryAuth },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Digest>;
  /** The same into a store. Returns what describes its manifest there. */
  storeArtifact(
    store: ContentStore,
    artifact: LayerArtifact,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Descriptor>;
  /** Reads the document of an artifact in a store by the digest of its manifest. Throws NotFound, NotSupported, Damaged. */
  openStored(store: ContentStore, digest: Digest, signal: AbortSignal): Promise<RemoteLayers>;
  /** Reads the document of an image or artifact; of an index that of a platform. Nothing is kept here. */
  openArtifact(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    signal: AbortSignal,
  ): Promise<RemoteLayers>;
  /** Asks the registry what a reference names there, without pulling it. Throws NotFound, Unauthorized. */
  lookUp(reference: Reference, options: { readonly auth?: RegistryAuth }, signal: AbortSignal): Promise<RegistryImage>;
  /**
   * Asks a registry for repositories: by its search, or else by its catalog. Throws NotSupported for a registry that has
   * neither.
   */
  search(
    query: { readonly registry: string; readonly term: string; readonly limit: number; readonly auth?: RegistryAuth },
    signal: AbortSignal,
  ): Promise<readonly FoundRepository[]>;
  /**
   * Checks credentials with a registry (`docker login`); returns an identity token for the place of the password, if the
   * registry gives one. Throws Unauthorized.
   */
  login(registry: string, auth: RegistryAuth, signal: AbortSignal): Promise<string | undefined>;

  /**
   * A tar that is an OCI layout and a docker-archive at once, of all platforms that are here or of one. Throws NotFound
   * before anything is read.
   */
  save(
    names: readonly string[],
    options: { readonly platform?: Platform },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** The same for images of one name, one for each platform, with names that they need not have here. */
  saveAs(images: readonly SavedPlatform[], tags: readonly Reference[], signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Reads an OCI layout or docker-archive, plain, gzip, zstd or xz, all platforms that it holds or one; returns what it
   * loaded, by tag, or by ID for images without one. Loads all or nothing. Throws Damaged, InvalidArgument, NotFound,
   * TooLarge.
   */
  load(
    tar: AsyncIterable<Uint8Array>,
    options: { readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** Makes an image of one layer from a root filesystem tar (plain, gzip or zstd). */
  import(
    tar: AsyncIterable<Uint8Array>,
    options: {
      readonly tag?: Reference;
      readonly message?: string;
      readonly config?: ImageDefaults;
      readonly platform?: Platform;
      /** RFC 3339; now without it. */
      readonly created?: string;
    },
    signal: AbortSignal,
  ): Promise<Image>;
}
