import type { Change, Entry } from '#store/store.ts';

/** What a store is: a list of changes, and a state after each. As simple as can be, to compare drivers with. */
export class Model {
  readonly base: bigint;
  readonly log: Change[] = [];
  compacted = 0n;
  readonly #states: ReadonlyMap<string, Entry>[] = [new Map()];

  /** `base` is the store's revision before the first change. */
  constructor(base: bigint) {
    this.base = base;
  }

  get revision(): bigint {
    return this.base + BigInt(this.log.length);
  }

  /** Undefined: a conflict. */
  put(key: string, value: Uint8Array, expected: bigint): bigint | undefined {
    const before = this.stateAt(this.revision).get(key);
    if ((before?.revision ?? 0n) !== expected) return undefined;
    this.#record('put', key, value, before);
    return this.revision;
  }

  remove(key: string, expected: bigint): bigint | undefined {
    const before = this.stateAt(this.revision).get(key);
    if (before?.revision !== expected) return undefined;
    this.#record('remove', key, before.value, before);
    return this.revision;
  }

  stateAt(revision: bigint): ReadonlyMap<string, Entry> {
    return this.#states[Number(revision - this.base)] ?? new Map();
  }

  /** By the keys' UTF-8 bytes. */
  entriesAt(revision: bigint, prefix: string): Entry[] {
    return [...this.stateAt(revision).values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  changesAfter(revision: bigint, prefix: string): Change[] {
    return this.log.filter((change) => change.revision > revision && change.key.startsWith(prefix));
  }

  #record(type: 'put' | 'remove', key: string, value: Uint8Array, before: Entry | undefined): void {
    const state = new Map(this.stateAt(this.revision));
    const revision = this.revision + 1n;
    if (type === 'put') state.set(key, { key, value, revision });
    else state.delete(key);
    this.log.push({ type, key, value, before: before?.value, revision });
    this.#states.push(state);
  }
}
