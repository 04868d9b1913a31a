import { StatusError } from '#base/errors.ts';
import { shortId } from '#base/ids.ts';
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
  async remove(
    name: string,
    { force, prune }: { readonly force: boolean; readonly prune: boolean },
  ): Promise<readonly RemovedImage[]> {
    const { store } = this.#options;
    const image = getImage(store, name);
    const names = store.namesOf(image.id);
    const outcome: Outcome = { removed: [], freedBytes: 0 };
    const byName = !namesById(store, image, name);
    if (byName) {
      if (!force && isOneName(names)) this.#refuseDangling(image, name);
      await this.#untagOne(image, parseReference(name), outcome);
      if (store.namesOf(image.id).length > 0) return outcome.removed;
    } else if (isOneName(names)) {
      this.#refuse(image, this.#obstacle(image, { children: true, running: true, names: false, stopped: !force }));
      for (const one of names) await this.#untag(image, one, outcome);
    }
    await this.#delete(image, { force, prune, quiet: byName }, outcome);
    return outcome.removed;
  }

  /** Deletes `candidates` that nothing uses, with their names; those that are used stay without a word. */
  async prune(candidates: readonly StoredImage[], signal: AbortSignal): Promise<Outcome> {
    const { store } = this.#options;
    const outcome: Outcome = { removed: [], freedBytes: 0 };
    for (const image of candidates) {
      signal.throwIfAborted();
      if (store.get(image.id) === undefined) continue;
      if (this.#obstacle(image, { children: true, running: true, names: false, stopped: true }) !== undefined) continue;
      for (const one of store.namesOf(image.id)) await this.#untag(image, one, outcome);
      await this.#delete(image, { force: false, prune: true, quiet: true }, outcome);
    }
    return outcome;
  }

  /** Untags one name, and the digests of its repository when they alone would be left. */
  async #untagOne(image: StoredImage, reference: Reference, outcome: Outcome): Promise<void> {
    const { store } = this.#options;
    const exact = reference.digest === undefined ? withDefaultTag(reference) : { ...reference, tag: undefined };
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
    for (const one of store.namesOf(image.id)) await this.#untag(image, one, outcome);
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

function isSameRepository(one: Reference, other: Reference): boolean {
  return one.domain === other.domain && one.path === other.path;
}
