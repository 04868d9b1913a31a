import { StatusError } from '#base/errors.ts';
import { shortId } from '#base/ids.ts';
import type { Platform } from '#formats/oci.ts';
import { familiarReference, parseReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { EventLog } from '../events/event-log.ts';
import type { ImageUsers, RemovedImage } from './images.ts';
import { getImage, namesById } from './store/find-image.ts';
import type { StoredImage } from './store/image-record.ts';
import type { ImageStore } from './store/image-store.ts';
import type { LayerKeeper } from './store/layer-keeper.ts';

export interface ImageRemovalOptions {
  readonly store: ImageStore;
  readonly layers: LayerKeeper;
  readonly users: ImageUsers;
  readonly events: EventLog;
}

interface RemoveOptions {
  readonly force: boolean;
  readonly prune: boolean;
  readonly platforms?: readonly Platform[];
}

interface Outcome {
  readonly removed: RemovedImage[];
  freedBytes: number;
}

/** Why an image stays: `hard` cannot be forced away, `used` means that a container has it. */
interface Obstacle {
  readonly hard: boolean;
  readonly used: boolean;
  readonly text: string;
}

/** Docker's rules for what `rmi` and `image prune` untag, delete and refuse (moby, daemon/images/image_delete.go). */
export class ImageRemoval {
  readonly #options: ImageRemovalOptions;

  constructor(options: ImageRemovalOptions) {
    this.#options = options;
  }

  /** Throws NotFound, or Conflict with the words that Docker's clients show. */
  async remove(name: string, options: RemoveOptions): Promise<readonly RemovedImage[]> {
    const { store } = this.#options;
    const image = getImage(store, name);
    const outcome: Outcome = { removed: [], freedBytes: 0 };
    if (namesById(store, image, name)) await this.#removeById(image, options, outcome);
    else if (options.platforms === undefined) await this.#removeName(parseReference(name), name, options, outcome);
    else await this.#removePlatforms(parseReference(name), name, options, outcome);
    return outcome.removed;
  }

  async #removeById(image: StoredImage, { force, prune }: RemoveOptions, outcome: Outcome): Promise<void> {
    const names = this.#options.store.namesOf(image.id);
    if (isOneName(names)) {
      this.#refuse(image, this.#obstacle(image, { children: true, running: true, names: false, stopped: !force }));
      for (const one of names) await this.#leave(image, one, outcome);
    }
    await this.#delete(image, { force, prune, quiet: false }, outcome);
  }

  /** Takes a name away, and those of its images that have no other. */
  async #removeName(reference: Reference, name: string, options: RemoveOptions, outcome: Outcome): Promise<void> {
    const { store } = this.#options;
    const images = store.meaningOf(reference)?.images ?? [];
    for (const image of images) {
      if (!options.force && isOneName(store.namesOf(image.id))) this.#refuseDangling(image, name);
    }
    for (const image of images.slice(0, 1)) await this.#untagOne(image, reference, outcome);
    for (const image of images) await this.#deleteNameless(image, options, outcome);
  }

  /** Takes the images of some platforms out of what a name stands for. */
  async #removePlatforms(reference: Reference, name: string, options: RemoveOptions, outcome: Outcome): Promise<void> {
    const { store } = this.#options;
    const wanted = (options.platforms ?? []).map((platform) => getImage(store, name, platform));
    for (const image of wanted) if (!options.force) this.#refuseDangling(image, name);
    for (const image of wanted) {
      const names = store.namesOf(image.id).filter((one) => isSameRepository(one, reference));
      const digests = names.filter(({ tag }) => tag === undefined);
      for (const one of [keptName(reference), ...digests]) await this.#leave(image, one, outcome);
      await this.#deleteNameless(image, options, outcome);
    }
  }

  async #deleteNameless(image: StoredImage, { force, prune }: RemoveOptions, outcome: Outcome): Promise<void> {
    if (this.#options.store.namesOf(image.id).length > 0) return;
    await this.#delete(image, { force, prune, quiet: true }, outcome);
  }

  /** Deletes `candidates` that nothing uses, with their names; those that are used stay without a word. */
  async prune(candidates: readonly StoredImage[], signal: AbortSignal): Promise<Outcome> {
    const { store } = this.#options;
    const outcome: Outcome = { removed: [], freedBytes: 0 };
    for (const image of candidates) {
      signal.throwIfAborted();
      if (store.get(image.id) === undefined) continue;
      if (this.#obstacle(image, { children: true, running: true, names: false, stopped: true }) !== undefined) continue;
      for (const one of store.namesOf(image.id)) await this.#leave(image, one, outcome);
      await this.#delete(image, { force: false, prune: true, quiet: true }, outcome);
    }
    return outcome;
  }

  /** Untags one name, and the digests of its repository when they alone would be left. */
  async #untagOne(image: StoredImage, reference: Reference, outcome: Outcome): Promise<void> {
    const { store } = this.#options;
    const exact = keptName(reference);
    await this.#untag(image, exact, outcome);
    const left = store.namesOf(image.id).filter((one) => isSameRepository(one, exact));
    if (left.some(({ tag }) => tag !== undefined)) return;
    for (const one of left) await this.#untag(image, one, outcome);
  }

  async #untag(image: StoredImage, reference: Reference, { removed }: Outcome): Promise<void> {
    const name = familiarReference(reference);
    await this.#options.store.unname(reference);
    this.#options.events.publish('image', 'untag', image.id, { name });
    removed.push({ untagged: name });
  }

  /** Takes a name from one image; images of other platforms that it stands for keep it. */
  async #leave(image: StoredImage, reference: Reference, outcome: Outcome): Promise<void> {
    const { store } = this.#options;
    const isShared = (store.meaningOf(reference)?.images.length ?? 0) > 1;
    if (isShared) await store.leave(reference, image.id);
    else await this.#untag(image, reference, outcome);
  }

  async #delete(
    image: StoredImage,
    mode: { readonly force: boolean; readonly prune: boolean; readonly quiet: boolean },
    outcome: Outcome,
  ): Promise<void> {
    const { store, layers, events } = this.#options;
    const soft = !mode.force;
    const obstacle = this.#obstacle(image, { children: true, running: true, names: soft, stopped: soft });
    // A name was asked to go and went: that the image stays for its users or children is no failure.
    if (obstacle !== undefined && mode.quiet) return;
    this.#refuse(image, obstacle);
    for (const one of store.namesOf(image.id)) await this.#leave(image, one, outcome);
    const intent = await layers.intend(image.chain);
    await using _settled = intent;
    await store.delete(image);
    events.publish('image', 'delete', image.id, { name: image.id });
    outcome.removed.push({ deleted: image.id });
    for (const { chainId, sizeBytes } of await intent.settle()) {
      outcome.removed.push({ deleted: chainId });
      outcome.freedBytes += sizeBytes;
    }
    const parent = image.parent === undefined || !mode.prune ? undefined : store.get(image.parent);
    if (parent !== undefined) await this.#deleteParent(parent, outcome);
  }

  /** Deletes the parents of a deleted image as far as nothing names or uses them. */
  async #deleteParent(parent: StoredImage, outcome: Outcome): Promise<void> {
    if (this.#obstacle(parent, { children: true, running: true, names: true, stopped: true }) !== undefined) return;
    await this.#delete(parent, { force: false, prune: true, quiet: true }, outcome);
  }

  #obstacle(
    image: StoredImage,
    looksAt: {
      readonly children: boolean;
      readonly running: boolean;
      readonly names: boolean;
      readonly stopped: boolean;
    },
  ): Obstacle | undefined {
    const { store, users } = this.#options;
    const containers = users.usersOf(image.id);
    const [running, stopped] = [containers.find((one) => one.running), containers.find((one) => !one.running)];
    if (looksAt.children && store.childrenOf(image.id).length > 0) {
      return { hard: true, used: false, text: 'image has dependent child images' };
    }
    if (looksAt.running && running !== undefined) {
      return { hard: true, used: true, text: `image is being used by running container ${shortId(running.id)}` };
    }
    if (looksAt.names && store.namesOf(image.id).length > 0) {
      return { hard: false, used: false, text: 'image is referenced in multiple repositories' };
    }
    if (looksAt.stopped && stopped !== undefined) {
      return { hard: false, used: true, text: `image is being used by stopped container ${shortId(stopped.id)}` };
    }
    return undefined;
  }

  #refuse(image: StoredImage, obstacle: Obstacle | undefined): void {
    if (obstacle === undefined) return;
    const force = obstacle.hard ? 'cannot be forced' : 'must be forced';
    throw new StatusError('Conflict', `conflict: unable to delete ${shortId(image.id)} (${force}) - ${obstacle.text}`);
  }

  /** The last name of an image that a container uses stays, or the image would dangle unseen. */
  #refuseDangling(image: StoredImage, name: string): void {
    const [user] = this.#options.users.usersOf(image.id);
    if (user === undefined) return;
    throw new StatusError(
      'Conflict',
      `conflict: unable to remove repository reference ${JSON.stringify(name)} (must force) - ` +
        `container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  }
}

/** Whether the names are at most one tag, with digests of the same repository only. */
function isOneName(names: readonly Reference[]): boolean {
  const repositories = new Set(names.map(({ domain, path }) => `${domain}/${path}`));
  return names.length <= 1 || (repositories.size === 1 && names.filter(({ tag }) => tag !== undefined).length <= 1);
}

/** The reference that a name is kept by. */
function keptName(reference: Reference): Reference {
  return reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined };
}

function isSameRepository(one: Reference, other: Reference): boolean {
  return one.domain === other.domain && one.path === other.path;
}
