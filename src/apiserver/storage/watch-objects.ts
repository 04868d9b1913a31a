import { messageOf, StatusError } from '#base/errors.ts';
import { statusOf, type Status } from '#kube/status.ts';

import type { ListOptions } from './list-options.ts';
import type { CacheReader, ObjectEvent } from './object-cache.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { Selection } from './selection.ts';
import { StoredObject } from './stored-object.ts';
import type { WatchEventType } from './watch-frames.ts';

/** Where a watch writes to. None of it waits: a sink that cannot keep up ends the watch by its signal. */
export interface WatchSink {
  event(type: WatchEventType, object: StoredObject): void;
  /** `endsInitial`: all objects that were there at the start have been sent. */
  bookmark(revision: bigint, endsInitial: boolean): void;
  error(status: Status): void;
}

/**
 * Sends what happens to the objects of a namespace (all, when it is empty) until the signal aborts or the cache is read
 * anew. Throws what a list throws when it cannot begin.
 */
export async function watchObjects(
  storage: ObjectStorage,
  namespace: string,
  options: ListOptions,
  selection: Selection,
  sink: WatchSink,
  signal: AbortSignal,
): Promise<void> {
  const { revision, sendInitialEvents } = options;
  const wantsState = sendInitialEvents ?? (revision === undefined || revision === 0n);
  await (wantsState && revision === undefined ? storage.fresh(signal) : storage.cache.load(signal));
  if (wantsState && revision !== undefined) await storage.reach(revision, signal);
  const prefix = storage.prefixOf(namespace);
  const ended = Promise.withResolvers<void>();
  const reader = new WatchReader(prefix, selection, sink, ended.resolve);
  using _ = storage.cache.read(reader);
  if (wantsState) {
    for (const object of storage.cache.list(prefix)) if (selection.matches(object)) sink.event('ADDED', object);
    if (sendInitialEvents === true) sink.bookmark(storage.cache.revision, true);
  } else if (!(await replay(storage, reader, revision ?? 0n, signal))) {
    return;
  }
  const onAbort = (): void => ended.resolve();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) ended.resolve();
  await ended.promise;
  signal.removeEventListener('abort', onAbort);
}

/** Gives the reader what happened since a revision; false when that was forgotten, which the client has been told. */
async function replay(
  storage: ObjectStorage,
  reader: WatchReader,
  since: bigint,
  signal: AbortSignal,
): Promise<boolean> {
  // 0 without initial events means: from now on.
  if (since === 0n) return true;
  const kept = storage.cache.since(since);
  if (kept !== undefined) {
    for (const event of kept) reader.event(event);
    return true;
  }
  try {
    await reader.holding(() => replayFromStore(storage, reader, since, signal));
    return true;
  } catch (error) {
    if (!(error instanceof StatusError) || signal.aborted) throw error;
    reader.fail(error);
    return false;
  }
}

/** From the store's own history, which reaches farther back than the cache; ends where the cache's events begin. */
async function replayFromStore(
  storage: ObjectStorage,
  reader: WatchReader,
  since: bigint,
  signal: AbortSignal,
): Promise<void> {
  const until = storage.cache.revision;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  for await (const { type, key, value, before, revision } of storage.store.watch(storage.prefix, since, either)) {
    if (revision > until) break;
    if (type !== 'progress') {
      const old = before === undefined ? undefined : new StoredObject(key, revision, before);
      reader.replay({
        revision,
        object: new StoredObject(key, revision, value),
        before: old,
        isRemoval: type === 'remove',
      });
    }
    if (revision === until) break;
  }
  stop.abort();
}

class WatchReader implements CacheReader {
  readonly end: () => void;
  readonly #prefix: string;
  readonly #selection: Selection;
  readonly #sink: WatchSink;
  /** Events that come while older ones are still being read. */
  #held: ObjectEvent[] | undefined;

  constructor(prefix: string, selection: Selection, sink: WatchSink, end: () => void) {
    this.#prefix = prefix;
    this.#selection = selection;
    this.#sink = sink;
    this.end = end;
  }

  event(event: ObjectEvent): void {
    if (this.#held === undefined) this.replay(event);
    else this.#held.push(event);
  }

  async holding(work: () => Promise<void>): Promise<void> {
    this.#held = [];
    try {
      await work();
    } finally {
      const held = this.#held;
      this.#held = undefined;
      for (const event of held) this.replay(event);
    }
  }

  /** To the client an object that leaves the selection is deleted, and one that enters it is new. */
  replay({ object, before, isRemoval, revision }: ObjectEvent): void {
    if (!object.key.startsWith(this.#prefix)) return;
    const was = before !== undefined && this.#selection.matches(before);
    const is = !isRemoval && this.#selection.matches(object);
    if (is) this.#sink.event(was ? 'MODIFIED' : 'ADDED', object);
    else if (was) this.#sink.event('DELETED', isRemoval ? object : before.at(revision));
  }

  fail(error: unknown): void {
    this.#sink.error(statusOf(error instanceof Error ? error : new Error(messageOf(error))));
  }
}
