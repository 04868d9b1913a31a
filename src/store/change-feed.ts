import { every } from '#base/clock.ts';

import { expired } from './failures.ts';
import type { Change } from './store.ts';

/** Part of the history of a prefix: all its changes from where it was asked for up to `reached`. */
export interface Stretch {
  readonly changes: readonly Change[];
  readonly reached: bigint;
}

export interface FeedBounds {
  /** Changes that are kept in memory. */
  readonly countMost: number;
  /** Bytes of their keys and values. */
  readonly bytesMost: number;
  /** How often idle watchers hear of progress. */
  readonly progressMs: number;
}

export interface FeedOptions {
  readonly bounds?: Partial<FeedBounds>;
  /** What was before is not in memory. */
  readonly revision: bigint;
  /**
   * The changes of a prefix after `since`, from where they are kept, until the feed's revision; throws Expired when they
   * are not there any more.
   */
  readonly history: (prefix: string, since: bigint, signal: AbortSignal) => AsyncIterable<Stretch>;
  /** Hears of changes that leave the memory. */
  readonly onDrop?: (change: Change) => void;
}

interface Watcher {
  /** All changes up to here were delivered. */
  position: bigint;
  /** Revision of the last change or progress that it was given. */
  told: bigint;
  owesProgress: boolean;
  /** No progress is told before the feed has come so far. */
  readonly known: bigint;
  wake: () => void;
}

const defaultBounds: FeedBounds = { countMost: 10_000, bytesMost: 8 * 1024 * 1024, progressMs: 5_000 };
/** Changes that a watcher takes from memory in one go. */
const takenMost = 256;

/**
 * Hands changes to watchers. The latest changes are in memory, once for all watchers; a watcher is a position among them,
 * so that a slow one costs nothing: when it has fallen behind what is in memory it reads the history, and when that is
 * gone too it ends with Expired.
 */
export class ChangeFeed implements Disposable {
  readonly #bounds: FeedBounds;
  readonly #options: FeedOptions;
  /** The latest changes in order, from `#head` on. */
  #kept: Change[] = [];
  #head = 0;
  #keptBytes = 0;
  /** All changes after this revision are in memory. */
  #floor: bigint;
  #revision: bigint;
  #compacted = 0n;
  /** Watchers hear at once when the feed has come so far. */
  #awaited = 0n;
  /** Those that wait for a change, by prefix. */
  readonly #idle = new Map<string, Set<Watcher>>();
  /** How many of them wait to hear that they have caught up. */
  #owing = 0;
  readonly #timer: Disposable;
  #failure: unknown;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#floor = options.revision;
    this.#revision = options.revision;
    this.#timer = every(this.#bounds.progressMs, () => this.#tellProgress());
  }

  /** Revision up to which all changes came. */
  get revision(): bigint {
    return this.#revision;
  }

  /** Takes the next changes, and the revision up to which they are all. */
  append(changes: readonly Change[], revision: bigint): void {
    const before = this.#revision;
    for (const change of changes) {
      this.#kept.push(change);
      this.#keptBytes += sizeOf(change);
    }
    if (revision > before) this.#revision = revision;
    this.#drop();
    for (const [prefix, watchers] of this.#idle) {
      if (changes.some((change) => change.key.startsWith(prefix))) wakeAll(watchers, before);
      else if (this.#owing > 0) this.#tellOwed(watchers);
    }
    if (before < this.#awaited && this.#awaited <= this.#revision) this.#tellProgress();
  }

  /** Somebody waits for this revision: those who watch hear of it as soon as it has come, also without changes of theirs. */
  expect(revision: bigint): void {
    if (revision > this.#awaited) this.#awaited = revision;
    if (this.#awaited <= this.#revision) this.#tellProgress();
  }

  /** Watches from before this revision are refused from now on. */
  compact(revision: bigint): void {
    if (revision > this.#compacted) this.#compacted = revision;
  }

  /** Forgets what is in memory: changes between the last one and `revision` did not come here. */
  restart(revision: bigint): void {
    const before = this.#revision;
    this.#kept = [];
    [this.#head, this.#keptBytes] = [0, 0];
    [this.#floor, this.#revision] = [revision, revision];
    for (const watchers of this.#idle.values()) wakeAll(watchers, before);
  }

  /** Ends all watchers with an error, and those to come. */
  fail(error: unknown): void {
    this.#failure ??= error;
    for (const watchers of this.#idle.values()) wakeAll(watchers, this.#revision);
  }

  /** `known` is a revision that was there already, whether it has come here or not: progress waits for it. */
  async *watch(
    prefix: string,
    { since, known = 0n }: { readonly since: bigint; readonly known?: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<Change, void, undefined> {
    if (since < this.#compacted) throw expired(since, this.#compacted);
    const watcher: Watcher = { position: since, told: since, owesProgress: true, known, wake: () => {} };
    while (!signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure;
      if (watcher.position < this.#floor) {
        yield* this.#catchUp(prefix, watcher, signal);
        continue;
      }
      const { changes, reached } = this.#after(prefix, watcher.position);
      for (const change of changes) {
        if (signal.aborted) return;
        watcher.told = change.revision;
        yield change;
      }
      if (reached > watcher.position) watcher.position = reached;
      if (watcher.position < this.#revision) continue;
      if (this.#owesProgress(watcher)) {
        watcher.owesProgress = false;
        watcher.told = watcher.position;
        yield { type: 'progress', key: '', value: new Uint8Array(), before: undefined, revision: watcher.position };
        continue;
      }
      await this.#nextChange(prefix, watcher, signal);
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  async *#catchUp(prefix: string, watcher: Watcher, signal: AbortSignal): AsyncGenerator<Change, void, undefined> {
    for await (const { changes, reached } of this.#options.history(prefix, watcher.position, signal)) {
      for (const change of changes) {
        if (signal.aborted) return;
        watcher.told = change.revision;
        yield change;
      }
      watcher.position = reached;
      if (reached >= this.#floor || this.#failure !== undefined) return;
    }
  }

  /** From memory; a revision is never cut in two. */
  #after(prefix: string, since: bigint): Stretch {
    const changes: Change[] = [];
    for (let index = this.#indexAfter(since); index < this.#kept.length; index += 1) {
      const change = this.#kept[index] as Change;
      const last = this.#kept[index - 1]?.revision ?? since;
      if (changes.length >= takenMost && change.revision !== last) return { changes, reached: last };
      if (change.key.startsWith(prefix)) changes.push(change);
    }
    return { changes, reached: this.#revision };
  }

  /** Of the first change after a revision. */
  #indexAfter(revision: bigint): number {
    let [low, high] = [this.#head, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle] as Change).revision > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #drop(): void {
    const { countMost, bytesMost } = this.#bounds;
    while (this.#kept.length - this.#head > countMost || this.#keptBytes > bytesMost) {
      const change = this.#kept[this.#head] as Change;
      this.#head += 1;
      this.#keptBytes -= sizeOf(change);
      this.#floor = change.revision;
      this.#options.onDrop?.(change);
    }
    if (this.#head <= this.#kept.length / 2) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }

  async #nextChange(prefix: string, watcher: Watcher, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watchers = this.#idle.get(prefix) ?? new Set();
    this.#idle.set(prefix, watchers.add(watcher));
    watcher.wake = resolve;
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort);
    const owes = watcher.owesProgress ? 1 : 0;
    this.#owing += owes;
    await promise;
    this.#owing -= owes;
    signal.removeEventListener('abort', onAbort);
    watchers.delete(watcher);
    if (watchers.size === 0 && this.#idle.get(prefix) === watchers) this.#idle.delete(prefix);
  }

  #owesProgress({ owesProgress, known, told }: Watcher): boolean {
    const isAwaited = told < this.#awaited && this.#awaited <= this.#revision;
    return isAwaited || (owesProgress && known <= this.#revision);
  }

  #tellOwed(watchers: Set<Watcher>): void {
    for (const watcher of watchers)
      if (watcher.owesProgress && watcher.known <= this.#revision) wake(watchers, watcher, this.#revision, true);
  }

  #tellProgress(): void {
    for (const watchers of this.#idle.values()) {
      for (const watcher of watchers) {
        if (watcher.told < this.#revision) wake(watchers, watcher, this.#revision, true);
      }
    }
  }
}

/** Those who waited have nothing to read up to `position`. */
function wakeAll(watchers: Set<Watcher>, position: bigint): void {
  for (const watcher of watchers) wake(watchers, watcher, position, false);
}

/** Whoever is awake does not wait any more: what comes before it has its turn is to be read. */
function wake(watchers: Set<Watcher>, watcher: Watcher, position: bigint, owesProgress: boolean): void {
  watchers.delete(watcher);
  if (position > watcher.position) watcher.position = position;
  watcher.owesProgress ||= owesProgress;
  watcher.wake();
}

function sizeOf({ key, value, before }: Change): number {
  return key.length + value.length + (before?.length ?? 0);
}
