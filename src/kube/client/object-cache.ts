import type { Resource } from '../resource.ts';
import { keyOf, keyText, type ObjectKey } from './client.ts';

/** The values of an object in an index, such as the name of its node. */
export type Indexer<R extends Resource> = (object: R) => readonly string[];

export type Change<R extends Resource = Resource> =
  | { readonly type: 'added' | 'deleted'; readonly object: R }
  | { readonly type: 'modified'; readonly object: R; readonly before: R };

/** Objects of a kind by key, and by the indexes that were asked for. */
export class ObjectCache<R extends Resource> {
  readonly #objects = new Map<string, R>();
  readonly #indexers: ReadonlyMap<string, Indexer<R>>;
  readonly #indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexers: Readonly<Record<string, Indexer<R>>>) {
    this.#indexers = new Map(Object.entries(indexers));
    for (const name of this.#indexers.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): R | undefined {
    return this.#objects.get(keyText(key));
  }

  /** All objects, of one namespace when it is given. */
  list(namespace = ''): R[] {
    const all = [...this.#objects.values()];
    return namespace === '' ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Objects with a value in an index. The index must have been asked for. */
  byIndex(index: string, value: string): R[] {
    const values = this.#indexes.get(index);
    if (values === undefined) throw new Error(`invariant broken: there is no index "${index}"`);
    return [...(values.get(value) ?? [])].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Undefined when the cache has this version already. */
  set(object: R): Change<R> | undefined {
    const key = keyText(keyOf(object));
    const before = this.#objects.get(key);
    const version = object.metadata.resourceVersion;
    if (before !== undefined && version !== undefined && before.metadata.resourceVersion === version) return undefined;
    if (before !== undefined) this.#unindex(key, before);
    this.#objects.set(key, object);
    this.#index(key, object);
    return before === undefined ? { type: 'added', object } : { type: 'modified', object, before };
  }

  /** Undefined when the cache does not have it. */
  delete(object: R): Change<R> | undefined {
    const key = keyText(keyOf(object));
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    this.#unindex(key, before);
    this.#objects.delete(key);
    return { type: 'deleted', object };
  }

  /** Holds exactly these from now on; says what that changed. */
  replace(objects: Iterable<R>): Change<R>[] {
    const next = new Map([...objects].map((object) => [keyText(keyOf(object)), object]));
    const gone = [...this.#objects].filter(([key]) => !next.has(key)).map(([, object]) => this.delete(object));
    const changed = [...next.values()].map((object) => this.set(object));
    return [...gone, ...changed].filter((change) => change !== undefined);
  }

  #index(key: string, object: R): void {
    for (const [name, indexer] of this.#indexers) {
      const values = this.#indexes.get(name);
      for (const value of indexer(object)) {
        const keys = values?.get(value) ?? new Set();
        values?.set(value, keys.add(key));
      }
    }
  }

  #unindex(key: string, object: R): void {
    for (const [name, indexer] of this.#indexers) {
      const values = this.#indexes.get(name);
      for (const value of indexer(object)) {
        const keys = values?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) values?.delete(value);
      }
    }
  }
}
