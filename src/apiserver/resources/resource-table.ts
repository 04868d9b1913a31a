import type { KindDef } from '#kube/kind.ts';

import type { ChangeHub } from '../storage/change-hub.ts';
import { ObjectStorage } from '../storage/object-storage.ts';
import { plainConversion, type ServedResource } from './served-resource.ts';

export interface ResourceTableOptions {
  /** How long events are kept. */
  readonly eventTtlSeconds: number;
}

/** Everything that is served, by its path. Kinds of custom resources come and go while it is used. */
export class ResourceTable {
  readonly #hub: ChangeHub;
  readonly #storages = new Map<string, ObjectStorage>();
  readonly #served = new Map<string, ServedResource>();
  readonly #listeners = new Set<() => void>();
  readonly #eventTtlSeconds: number;
  #generation = 1;

  constructor(hub: ChangeHub, kinds: readonly KindDef[], options: ResourceTableOptions) {
    this.#hub = hub;
    this.#eventTtlSeconds = options.eventTtlSeconds;
    for (const def of kinds) this.#served.set(keyOf(def.group, def.version, def.plural), this.#serve(def));
  }

  /** Counts its changes; what was made of it before is out of date. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#served.get(keyOf(group, version, plural));
  }

  /** In any version, the first one that has it. */
  findAny(group: string, plural: string): ServedResource | undefined {
    return this.all().find(({ def }) => def.group === group && def.plural === plural);
  }

  findKind(group: string, version: string, kind: string): ServedResource | undefined {
    return this.all().find(({ def }) => def.group === group && def.version === version && def.kind === kind);
  }

  all(): readonly ServedResource[] {
    return [...this.#served.values()];
  }

  /** Each storage once, in the version that is stored where that is served. */
  storages(): readonly ServedResource[] {
    const byStorage = new Map<ObjectStorage, ServedResource>();
    for (const one of this.all()) {
      if (one.storage === undefined) continue;
      const known = byStorage.get(one.storage);
      if (known === undefined || (!isAsStored(known) && isAsStored(one))) byStorage.set(one.storage, one);
    }
    return [...byStorage.values()];
  }

  /** Serves other resources in the place of some, in one step. */
  replace(isOld: (resource: ServedResource) => boolean, next: readonly ServedResource[]): void {
    const old = [...this.#served].filter(([, resource]) => isOld(resource));
    for (const [key] of old) this.#served.delete(key);
    for (const one of next) this.#served.set(keyOf(one.def.group, one.def.version, one.def.plural), one);
    if (old.length + next.length > 0) this.#changed();
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** The storage of a resource, the same one whenever it is asked for. */
  storageOf(group: string, plural: string, isNamespaced: boolean): ObjectStorage {
    const key = `${group}/${plural}`;
    const known = this.#storages.get(key);
    if (known !== undefined) return known;
    const ttlSeconds = key === '/events' ? this.#eventTtlSeconds : undefined;
    const storage = new ObjectStorage(this.#hub, { group, resource: plural }, isNamespaced, ttlSeconds);
    this.#storages.set(key, storage);
    return storage;
  }

  /** Ends the watches on a storage and forgets it. */
  closeStorage(group: string, plural: string): void {
    this.#storages.get(`${group}/${plural}`)?.cache.close();
    this.#storages.delete(`${group}/${plural}`);
  }

  #serve(def: KindDef): ServedResource {
    const isKept = def.verbs.includes('list');
    if (!isKept) return { def, storage: undefined, conversion: undefined };
    const { storedAs } = def;
    const { group, plural } = storedAs?.kind ?? def;
    const storage = this.storageOf(group, plural, def.scope === 'Namespaced');
    const conversion = storedAs === undefined ? undefined : plainConversion(storedAs.toStored, storedAs.fromStored);
    return { def, storage, conversion };
  }

  #changed(): void {
    this.#generation += 1;
    for (const listener of this.#listeners) listener();
  }
}

function isAsStored({ conversion, custom }: ServedResource): boolean {
  return conversion === undefined || custom?.isStored === true;
}

function keyOf(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}
