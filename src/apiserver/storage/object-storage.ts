import { StatusError } from '#base/errors.ts';
import type { Resource } from '#kube/resource.ts';
import { alreadyExists, conflict, type GroupResource } from '#kube/status.ts';

import { registryPrefix, type ChangeHub } from './change-hub.ts';
import { ObjectCache } from './object-cache.ts';
import { encodeObject, StoredObject } from './stored-object.ts';
import { WatchFrames } from './watch-frames.ts';

/** The objects of one resource in the store, whatever versions they are served in. */
export class ObjectStorage {
  readonly of: GroupResource;
  readonly isNamespaced: boolean;
  readonly prefix: string;
  readonly cache: ObjectCache;
  readonly frames = new WatchFrames();
  readonly #hub: ChangeHub;
  /** Seconds after which objects go by themselves; undefined: never. */
  readonly #ttlSeconds: number | undefined;

  constructor(hub: ChangeHub, of: GroupResource, isNamespaced: boolean, ttlSeconds?: number) {
    this.of = of;
    this.isNamespaced = isNamespaced;
    this.prefix = `${registryPrefix}${of.group || 'core'}/${of.resource}/`;
    this.cache = new ObjectCache(hub, this.prefix);
    this.#hub = hub;
    this.#ttlSeconds = ttlSeconds;
  }

  keyOf(namespace: string, name: string): string {
    return this.isNamespaced ? `${this.prefix}${namespace}/${name}` : `${this.prefix}${name}`;
  }

  /** What lists and watches of a namespace are below; of all when it is empty. */
  prefixOf(namespace: string): string {
    return namespace === '' || !this.isNamespaced ? this.prefix : `${this.prefix}${namespace}/`;
  }

  /** The latest state. */
  async get(namespace: string, name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    if (!this.cache.isLoaded || !this.#hub.isFresh) await this.fresh(signal);
    return this.cache.get(this.keyOf(namespace, name));
  }

  /** Everything that was written before the call is in the cache afterwards. */
  async fresh(signal: AbortSignal): Promise<void> {
    if (!this.cache.isLoaded) await this.cache.load(signal);
    if (!this.#hub.isFresh) await this.#hub.refresh(signal);
  }

  /** As `fresh` for writes up to a revision; 0n: whatever the cache has. */
  async reach(revision: bigint, signal: AbortSignal): Promise<void> {
    await this.cache.load(signal);
    await this.#hub.reach(revision, signal);
  }

  get store(): ChangeHub['store'] {
    return this.#hub.store;
  }

  /** Throws AlreadyExists. */
  async create(object: Resource, signal: AbortSignal): Promise<StoredObject> {
    return this.#put(object, 0n, signal).catch((error: unknown) => {
      throw isConflict(error) ? alreadyExists(this.of, object.metadata.name ?? '') : error;
    });
  }

  /** Throws Conflict when `current` is not the latest state any more. */
  async replace(current: StoredObject, object: Resource, signal: AbortSignal): Promise<StoredObject> {
    return this.#put(object, current.revision, signal).catch((error: unknown) => {
      throw isConflict(error) ? conflict(this.of, object.metadata.name ?? '') : error;
    });
  }

  /** Resolves with the last state at the revision of its removal. Throws Conflict as `replace`. */
  async remove(current: StoredObject, signal: AbortSignal): Promise<StoredObject> {
    try {
      const revision = await this.#hub.store.remove(current.key, current.revision, signal);
      this.#hub.wrote(revision);
      return current.at(revision);
    } catch (error) {
      throw isConflict(error) ? conflict(this.of, current.object.metadata.name ?? '') : error;
    }
  }

  async #put(object: Resource, expected: bigint, signal: AbortSignal): Promise<StoredObject> {
    const key = this.keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
    const bytes = encodeObject(object);
    const options = this.#ttlSeconds === undefined ? {} : { ttlSeconds: this.#ttlSeconds };
    const revision = await this.#hub.store.put(key, bytes, expected, options, signal);
    this.#hub.wrote(revision);
    return new StoredObject(key, revision, bytes);
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'Conflict';
}
