import { StatusError } from '#base/errors.ts';
import type { Descriptor, Digest, Platform } from '#formats/oci.ts';
import { defaultDomain, familiarReference, fullReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import { hasCode } from '#sys/errno.ts';
import { importRootfs } from './archive/import-rootfs.ts';
import type { ImportOptions } from './archive/import-rootfs.ts';
import { loadArchive } from './archive/load-archive.ts';
import { saveArchive, selectImages } from './archive/save-archive.ts';
import type { ContentStore } from './content-store.ts';
import { describeManifests } from './describe-manifests.ts';
import type {
  FoundRepository,
  Image,
  ImageManifests,
  Images,
  LayerArtifact,
  NewImage,
  OnProgress,
  RegistryAuth,
  RegistryImage,
  RemoteLayers,
  RemovedImage,
  SavedPlatform,
} from './images.ts';
import { inTurn } from './in-turn.ts';
import { logIn } from './registry/log-in.ts';
import { searchRegistry } from './registry/search-registry.ts';
import type { ImageRemoval } from './remove-image.ts';
import type { Room } from './room.ts';
import { chainOf } from './store/chain.ts';
import { findImage, getImage, namesById } from './store/find-image.ts';
import type { StoredImage } from './store/image-record.ts';
import type { NameTarget } from './store/image-store.ts';
import { hostFirst } from './transfer/choose-platform.ts';
import { lookUpImage } from './transfer/look-up-image.ts';
import { openArtifact, openStored } from './transfer/open-artifact.ts';
import { pullImage } from './transfer/pull-image.ts';
import { pushArtifact } from './transfer/push-artifact.ts';
import { pushImage } from './transfer/push-image.ts';
import { storeArtifact } from './transfer/store-artifact.ts';

/** The door of the room: each method hands over to the file that does it. */
export class LocalImages implements Images, AsyncDisposable {
  readonly #room: Room;
  readonly #removal: ImageRemoval;
  readonly #connections: Disposable;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(room: Room, removal: ImageRemoval, connections: Disposable) {
    this.#room = room;
    this.#removal = removal;
    this.#connections = connections;
  }

  get scratchDir(): string {
    return this.#room.scratchDir;
  }

  /** Ends what runs, waits until it has cleaned up, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new StatusError('Unavailable', 'Cannot go on: the images are being closed; try again later'));
    await Promise.allSettled(this.#running);
    this.#connections[Symbol.dispose]();
  }

  get(name: string, platform?: Platform): Image {
    return this.#view(getImage(this.#room.store, name, platform));
  }

  find(name: string, platform?: Platform): Image | undefined {
    const image = findImage(this.#room.store, name, platform);
    return image === undefined ? undefined : this.#view(image);
  }

  async manifests(name: string): Promise<ImageManifests> {
    return await describeManifests(this.#room, name, (image) => this.#view(image));
  }

  list(): readonly Image[] {
    return this.#room.store.list().map((image) => this.#view(image));
  }

  hold(chainId: Digest): Disposable {
    return this.#room.layers.hold([chainId]);
  }

  async add(image: NewImage, signal: AbortSignal): Promise<Image> {
    const { store, layers } = this.#room;
    const { parent, tags = [], others = [] } = image;
    const chain = [image, ...others].flatMap(({ config }) => chainOf(config.rootfs.diff_ids));
    using _hold = layers.hold(chain);
    // A removal that began before the hold is let finish, so that what is seen afterwards stays.
    for (const chainId of chain) {
      await inTurn(
        (work) => layers.exclusively(chainId, work),
        async () => {},
        signal,
      );
    }
    return await this.#changing(async () => {
      const stored = await store.put(Buffer.from(JSON.stringify(image.config)), { parent });
      const images = [stored];
      for (const { config } of others) images.push(await store.put(Buffer.from(JSON.stringify(config)), {}));
      const attestations = [image, ...others].flatMap(({ attestations: claims = [] }, index) =>
        claims.map((claim) => ({ ...claim, image: images[index]?.id ?? stored.id })),
      );
      for (const tag of tags) await this.#name(withDefaultTag(tag), { images: hostFirst(images), attestations });
      return this.#view(stored);
    });
  }

  async tag(name: string, reference: Reference): Promise<void> {
    if (reference.digest !== undefined) {
      throw new StatusError('InvalidArgument', 'refusing to create a tag with a digest reference');
    }
    const { store } = this.#room;
    await this.#changing(async () => {
      const image = getImage(store, name);
      // A new tag stands for all that the old one stood for, so that a push of it is the same push.
      const meaning = namesById(store, image, name) ? undefined : store.meaningOf(parseReference(name));
      await this.#name(withDefaultTag(reference), meaning ?? { images: [image] });
    });
  }

  async remove(
    name: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly platforms?: readonly Platform[] },
    signal: AbortSignal,
  ): Promise<readonly RemovedImage[]> {
    signal.throwIfAborted();
    return await this.#changing(() => this.#removal.remove(name, options));
  }

  async prune(
    { danglingOnly, only = () => true }: { readonly danglingOnly: boolean; readonly only?: (image: Image) => boolean },
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly RemovedImage[]; readonly freedBytes: number }> {
    const { store } = this.#room;
    return await this.#changing(async () => {
      const tops = store.list().filter(({ id }) => store.childrenOf(id).length === 0 || store.namesOf(id).length > 0);
      const hasTag = ({ id }: StoredImage): boolean => store.namesOf(id).some(({ tag }) => tag !== undefined);
      const unwanted = tops.filter((image) => !danglingOnly || !hasTag(image));
      // Children before their parents, which they keep.
      unwanted.sort((one, other) => store.ancestorsOf(other).length - store.ancestorsOf(one).length);
      return await this.#removal.prune(
        unwanted.filter((image) => only(this.#view(image))),
        signal,
      );
    });
  }

  async pull(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Image> {
    const name = familiarReference(reference);
    return this.#view(
      await this.#during(
        `pull ${name}`,
        (either) => pullImage(this.#room, reference, options, onProgress, either),
        signal,
      ),
    );
  }

  async push(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
    const name = familiarReference(reference);
    return await this.#during(
      `push ${name}`,
      (either) => pushImage(this.#room, reference, options, onProgress, either),
      signal,
    );
  }

  async pushArtifact(
    reference: Reference,
    artifact: LayerArtifact,
    { auth }: { readonly auth?: RegistryAuth },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Digest> {
    return await this.#during(
      `push ${familiarReference(reference)}`,
      (either) => pushArtifact(this.#room, reference, artifact, { auth, onProgress }, either),
      signal,
    );
  }

  async storeArtifact(
    store: ContentStore,
    artifact: LayerArtifact,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Descriptor> {
    const write = (either: AbortSignal) => storeArtifact(this.#room, store, artifact, onProgress, either);
    return await this.#during('write layers', write, signal);
  }

  async openStored(store: ContentStore, digest: Digest, signal: AbortSignal): Promise<RemoteLayers> {
    const remote = await this.#during(
      `read ${digest}`,
      (either) => openStored(this.#room, store, digest, either),
      signal,
    );
    return this.#duringFetch(remote);
  }

  async openArtifact(
    reference: Reference,
    options: { readonly auth?: RegistryAuth; readonly platform?: Platform },
    signal: AbortSignal,
  ): Promise<RemoteLayers> {
    const remote = await this.#during(
      `read ${familiarReference(reference)}`,
      (either) => openArtifact(this.#room, reference, options, either),
      signal,
    );
    return this.#duringFetch(remote);
  }

  #duringFetch(remote: RemoteLayers): RemoteLayers {
    const fetch: RemoteLayers['fetch'] = async (layers, onProgress, signal) =>
      await this.#during('fetch layers', (either) => remote.fetch(layers, onProgress, either), signal);
    return { ...remote, fetch };
  }

  async lookUp(
    reference: Reference,
    { auth }: { readonly auth?: RegistryAuth },
    signal: AbortSignal,
  ): Promise<RegistryImage> {
    const name = familiarReference(reference);
    return await this.#during(`look up ${name}`, (either) => lookUpImage(this.#room, reference, auth, either), signal);
  }

  async search(
    query: { readonly registry: string; readonly term: string; readonly limit: number; readonly auth?: RegistryAuth },
    signal: AbortSignal,
  ): Promise<readonly FoundRepository[]> {
    const session = this.#room.connect(registryDomain(query.registry), query.auth);
    const search = (either: AbortSignal) => searchRegistry(session, query.term, query.limit, either);
    return await this.#during(`search ${session.domain}`, search, signal);
  }

  async login(registry: string, auth: RegistryAuth, signal: AbortSignal): Promise<string | undefined> {
    const domain = registryDomain(registry);
    const session = this.#room.connect(domain, auth, { wantsIdentity: true });
    return await this.#during(`log in to ${domain}`, (either) => logIn(session, either), signal);
  }

  save(
    names: readonly string[],
    { platform }: { readonly platform?: Platform },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const selected = selectImages(this.#room, names, platform);
    this.#room.events.publish('image', 'save', selected[0]?.image.id ?? '', { name: names.join(' ') });
    return saveArchive(this.#room, selected, AbortSignal.any([signal, this.#closing.signal]));
  }

  saveAs(images: readonly SavedPlatform[], tags: readonly Reference[], signal: AbortSignal): AsyncIterable<Uint8Array> {
    const saved = images.map(({ id, attestations }, index) => ({
      image: getImage(this.#room.store, id),
      tags: index === 0 ? tags : [],
      shared: images.length > 1 ? tags : [],
      claims: new Map(tags.map((tag) => [fullReference(tag), attestations])),
    }));
    return saveArchive(this.#room, saved, AbortSignal.any([signal, this.#closing.signal]));
  }

  async load(
    tar: AsyncIterable<Uint8Array>,
    { platform }: { readonly platform?: Platform },
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const load = (either: AbortSignal) => loadArchive(this.#room, tar, platform, onProgress, either);
    return await this.#during('load the archive', load, signal);
  }

  async import(tar: AsyncIterable<Uint8Array>, options: ImportOptions, signal: AbortSignal): Promise<Image> {
    return this.#view(await this.#during('import', (either) => importRootfs(this.#room, tar, options, either), signal));
  }

  async #name(reference: Reference, target: NameTarget): Promise<void> {
    await this.#room.store.name(reference, target);
    this.#room.events.publish('image', 'tag', target.images[0]?.id ?? '', { name: familiarReference(reference) });
  }

  /** Runs an operation that ends early when the room is closed, and says a full disk as what it is. */
  async #during<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const running = work(AbortSignal.any([signal, this.#closing.signal]));
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      const cause = error instanceof StatusError ? error.cause : error;
      if (!hasCode(cause, 'ENOSPC', 'EDQUOT')) throw error;
      await this.#room.blobs.clear();
      throw new StatusError('Unavailable', `Cannot ${what}: no space left on device; free some`, { cause: error });
    } finally {
      this.#running.delete(running);
    }
  }

  async #changing<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#room.change(work);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #view(image: StoredImage): Image {
    const { store, snapshots } = this.#room;
    const names = store.namesOf(image.id);
    const sizes = image.chain.map((chainId) => snapshots.layer(chainId)?.sizeBytes ?? 0);
    return {
      id: image.id,
      config: image.config,
      configBytes: image.configBytes,
      tags: names.filter(({ tag }) => tag !== undefined).map(familiarReference),
      repoDigests: names.filter(({ digest }) => digest !== undefined).map(familiarReference),
      topLayer: image.chain.at(-1),
      sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
      parent: image.parent,
      lastTaggedNs: store.lastTaggedNs(image.id),
    };
  }
}

/** The domain of what `docker login` sends: a domain, or the address of the default registry's old interface. */
function registryDomain(registry: string): string {
  const host = registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === '' ? defaultDomain : parseReference(`${host}/x`).domain;
}
