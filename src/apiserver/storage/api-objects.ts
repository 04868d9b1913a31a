import { required } from '#base/assert.ts';
import { sleep } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';
import type { Resource } from '#kube/resource.ts';
import { conflict, notFound } from '#kube/status.ts';

import type { ObjectChange, Objects, ResourceName } from '../auth/objects.ts';
import type { ResourceTable } from '../resources/resource-table.ts';
import { newMetadata, timeText, withMetadata } from '../writes/object-meta.ts';
import type { CacheReader } from './object-cache.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { StoredObject } from './stored-object.ts';

/** The API's own objects for parts of the server itself, past authentication, authorization and admission. */
export function apiObjects(resources: ResourceTable, nowMs: () => number, logger: Logger): Objects {
  const storageOf = ({ group, resource }: ResourceName): ObjectStorage =>
    required(resources.findAny(group, resource)?.storage, `the storage of ${resource}`);
  return {
    get: async (of, namespace, name, signal) => (await storageOf(of).get(namespace, name, signal))?.object,
    list: async (of, namespace, signal) => {
      const storage = storageOf(of);
      await storage.fresh(signal);
      return storage.cache.list(storage.prefixOf(namespace)).map(({ object }) => object);
    },
    follow: (of, signal) => follow(storageOf(of), logger, signal),
    create: async (of, object, signal) => {
      const { def } = required(resources.findAny(of.group, of.resource), of.resource);
      const made = newMetadata(structuredClone(object), nowMs());
      def.setDefaults?.(made);
      def.prepare?.(made, undefined);
      return (await storageOf(of).create(made, signal)).object;
    },
    update: async (of, object, signal) => {
      const storage = storageOf(of);
      const { revision } = await storage.replace(await current(storage, object, signal), object, signal);
      return withMetadata(object, { resourceVersion: String(revision) });
    },
    delete: async (of, object, signal) => {
      const storage = storageOf(of);
      const stored = await current(storage, object, signal);
      const { finalizers = [], deletionTimestamp } = object.metadata;
      if (finalizers.length === 0) await storage.remove(stored, signal);
      else if (deletionTimestamp === undefined) {
        const marks = { deletionTimestamp: timeText(nowMs()), deletionGracePeriodSeconds: 0 };
        await storage.replace(stored, withMetadata(object, marks), signal);
      }
    },
  };
}

/** What is stored, which must be what the object was made from. */
async function current(storage: ObjectStorage, { metadata }: Resource, signal: AbortSignal): Promise<StoredObject> {
  const { name = '', namespace = '', resourceVersion } = metadata;
  const stored = await storage.get(namespace, name, signal);
  if (stored === undefined) throw notFound(storage.of, name);
  if (String(stored.revision) !== resourceVersion) throw conflict(storage.of, name);
  return stored;
}

/**
 * Again from the start, with another `synced`, whenever the cache is read anew: what went meanwhile is told as removed. A
 * store that does not answer is asked again; only the signal ends it, since whoever follows would be stale for ever.
 */
async function* follow(
  storage: ObjectStorage,
  logger: Logger,
  signal: AbortSignal,
): AsyncGenerator<ObjectChange, void, undefined> {
  const told = new Map<string, StoredObject>();
  while (!signal.aborted) {
    try {
      await storage.fresh(signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('objects cannot be followed, the store is asked again', {
        resource: storage.of.resource,
        error: messageOf(error),
      });
      await sleep(retryMs, signal).catch(() => {});
      continue;
    }
    const queue = new ChangeQueue(signal);
    using _ = storage.cache.read(queue);
    const listed = storage.cache.list(storage.prefix);
    const keys = new Set(listed.map(({ key }) => key));
    for (const [key, object] of told) if (!keys.has(key)) queue.push({ type: 'remove', object });
    for (const object of listed) queue.push({ type: 'put', object });
    queue.push({ type: 'synced', object: undefined });
    for await (const { type, object } of queue.drain()) {
      if (type === 'put') told.set(object.key, object);
      else if (type === 'remove') told.delete(object.key);
      yield { type, object: object?.object };
    }
  }
}

const retryMs = 500;

/** A change with the object as it is stored, which is parsed only when somebody looks at it. */
type StoredChange =
  | { readonly type: 'put' | 'remove'; readonly object: StoredObject }
  | { readonly type: 'synced'; readonly object: undefined };

class ChangeQueue implements CacheReader {
  readonly #signal: AbortSignal;
  #items: StoredChange[] = [];
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.end(), { once: true });
  }

  event({ object, isRemoval }: Parameters<CacheReader['event']>[0]): void {
    this.push({ type: isRemoval ? 'remove' : 'put', object });
  }

  push(change: StoredChange): void {
    this.#items.push(change);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *drain(): AsyncGenerator<StoredChange, void, undefined> {
    for (;;) {
      const items: readonly StoredChange[] = this.#items;
      this.#items = [];
      for (const item of items) {
        if (this.#signal.aborted) return;
        yield item;
      }
      if (this.#items.length > 0) continue;
      if (this.#hasEnded) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
