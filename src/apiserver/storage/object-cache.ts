import type { Change } from '#store/store.ts';

import type { ChangeHub, HubListener } from './change-hub.ts';
import { StoredObject } from './stored-object.ts';

/** A write as the cache's readers see it. */
export interface ObjectEvent {
  readonly revision: bigint;
  /** New state; of a removal the last one, at the revision of the removal. */
  readonly object: StoredObject;
  /** undefined: the object is new. */
  readonly before: StoredObject | undefined;
  readonly isRemoval: boolean;
}

export interface CacheReader {
  event(event: ObjectEvent): void;
  /** Nothing more comes: the cache is read anew, and its readers must ask again. */
  end(): void;
}

/** Events that are kept for watches that begin in the past. */
const eventsMost = 10_000;
const eventBytesMost = 8 * 1024 * 1024;

/**
 * All objects of one resource and their latest changes. Filled when it is first asked for; from then on it follows the
 * hub, so that it shows the hub's revision at any time.
 */
export class ObjectCache implements HubListener {
  readonly #hub: ChangeHub;
  readonly #prefix: string;
  readonly #readers = new Set<CacheReader>();
  #objects: Map<string, StoredObject> | undefined;
  #loading: Promise<void> | undefined;
  /** Changes that came while it was loading. */
  #held: Change[] = [];
  #keys: readonly string[] | undefined;
  #events: ObjectEvent[] = [];
  #eventBytes = 0;
  /** All events after this revision are kept. */
  #floor = 0n;

  constructor(hub: ChangeHub, prefix: string) {
    this.#hub = hub;
    this.#prefix = prefix;
    hub.listen(prefix, this);
  }

  get revision(): bigint {
    return this.#hub.revision;
  }

  /** Objects that it holds; 0 before it is filled. */
  get size(): number {
    return this.#objects?.size ?? 0;
  }

  get isLoaded(): boolean {
    return this.#objects !== undefined;
  }

  /** Reads all objects, unless that has been done; what was written before the call is in it afterwards. */
  async load(signal: AbortSignal): Promise<void> {
    while (this.#objects === undefined) {
      this.#loading ??= this.#fill(signal).finally(() => (this.#loading = undefined));
      await this.#loading;
      signal.throwIfAborted();
    }
  }

  get(key: string): StoredObject | undefined {
    return this.#objects?.get(key);
  }

  /** In the order of their keys. */
  list(prefix: string): readonly StoredObject[] {
    const objects = this.#objects ?? new Map<string, StoredObject>();
    this.#keys ??= [...objects.keys()].sort();
    const found: StoredObject[] = [];
    for (let index = firstAtLeast(this.#keys, prefix); index < this.#keys.length; index += 1) {
      const key = this.#keys[index] ?? '';
      if (!key.startsWith(prefix)) break;
      const object = objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Events after a revision; undefined when some of them are not kept any more. */
  since(revision: bigint): readonly ObjectEvent[] | undefined {
    if (revision < this.#floor) return undefined;
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.revision ?? 0n) > revision) index -= 1;
    return this.#events.slice(index);
  }

  read(reader: CacheReader): Disposable {
    this.#readers.add(reader);
    return { [Symbol.dispose]: () => void this.#readers.delete(reader) };
  }

  change(change: Change): void {
    if (this.#objects === undefined) {
      if (this.#loading !== undefined) this.#held.push(change);
      return;
    }
    this.#apply(this.#objects, change);
  }

  reset(): void {
    this.#objects = undefined;
    this.#keys = undefined;
    this.#events = [];
    this.#eventBytes = 0;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** Ends its readers for good. */
  close(): void {
    this.#hub.forget(this.#prefix);
    this.reset();
  }

  async #fill(signal: AbortSignal): Promise<void> {
    this.#held = [];
    const listing = await this.#hub.store.list(this.#prefix, {}, signal);
    const objects = new Map(
      listing.entries.map(({ key, value, revision }) => [key, new StoredObject(key, revision, value)]),
    );
    this.#objects = objects;
    this.#keys = undefined;
    this.#floor = listing.revision;
    for (const change of this.#held) if (change.revision > listing.revision) this.#apply(objects, change);
    this.#held = [];
    await this.#hub.reach(listing.revision, signal);
  }

  #apply(objects: Map<string, StoredObject>, change: Change): void {
    const { key, revision } = change;
    const before = objects.get(key);
    // A listing may be ahead of the hub: what it had already is not news.
    if (before !== undefined && before.revision >= revision) return;
    if (revision <= this.#floor) return;
    const isRemoval = change.type === 'remove';
    const object = isRemoval
      ? (before?.at(revision) ?? new StoredObject(key, revision, change.value))
      : new StoredObject(key, revision, change.value);
    if (isRemoval) objects.delete(key);
    else objects.set(key, object);
    if (isRemoval || before === undefined) this.#keys = undefined;
    const event = { revision, object, before, isRemoval };
    this.#remember(event);
    for (const reader of this.#readers) reader.event(event);
  }

  #remember(event: ObjectEvent): void {
    this.#events.push(event);
    this.#eventBytes += event.object.sizeBytes;
    if (this.#events.length <= eventsMost && this.#eventBytes <= eventBytesMost) return;
    const dropped = this.#events.splice(0, Math.ceil(this.#events.length / 4));
    this.#eventBytes -= dropped.reduce((sum, { object }) => sum + object.sizeBytes, 0);
    this.#floor = dropped.at(-1)?.revision ?? this.#floor;
  }
}

function firstAtLeast(keys: readonly string[], prefix: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}
