import { every } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { statusOf, type Status } from '#kube/status.ts';

import type { Listing } from './list-objects.ts';
import type { CacheReader, ObjectEvent } from './object-cache.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { Selection } from './selection.ts';
import { ShownEvents } from './shown-events.ts';
import { StoredObject } from './stored-object.ts';
import type { WatchEventType } from './watch-frames.ts';

/** Where a watch writes to. None of it waits: a sink that cannot keep up ends the watch by its signal. */
export interface WatchSink {
  event(type: WatchEventType, object: StoredObject): void;
  /** `endsInitial`: all objects that were there at the start have been sent. */
  bookmark(revision: bigint, endsInitial: boolean): void;
  error(status: Status): void;
  /** It has so much unread that the state at the start should wait; what happens later cannot. */
  readonly isFull: boolean;
  /** Resolves when the client has read. */
  whenRead(signal: AbortSignal): Promise<void>;
}

const bookmarkPeriodMs = 60_000;
/** What happens while a client reads the state at the start. */
const heldEventsMost = 10_000;

/**
 * Sends what happens to the objects of a listing until the signal aborts, the cache is read anew, or the view fails. Throws
 * what a list throws when it cannot begin.
 */
export async function watchObjects(
  { storage, view, namespace, options, selection }: Listing,
  sink: WatchSink,
  signal: AbortSignal,
): Promise<void> {
  const { revision, sendInitialEvents } = options;
  const wantsState = sendInitialEvents ?? (revision === undefined || revision === 0n);
  await (wantsState && revision === undefined ? storage.fresh(signal) : storage.cache.load(signal));
  if (wantsState && revision !== undefined) await storage.reach(revision, signal);
  const prefix = storage.prefixOf(namespace);
  const ended = Promise.withResolvers<void>();
  const shown = view === undefined ? undefined : new ShownEvents(view, signal);
  const since = wantsState ? 0n : (revision ?? 0n);
  const reader = new WatchReader({ prefix, since, selection, sink, shown, end: ended.resolve });
  using owned = new DisposableStack();
  owned.use(storage.cache.read(reader));
  if (options.allowWatchBookmarks)
    owned.use(every(bookmarkPeriodMs, () => reader.bookmark(storage.cache.revision, false)));
  if (wantsState) {
    const now = storage.cache.revision;
    const all = storage.cache.list(prefix);
    await reader.holding(async () => {
      try {
        await reader.state((await view?.(all, signal)) ?? all, signal);
        if (sendInitialEvents === true) reader.bookmark(now, true);
      } catch (error) {
        if (!signal.aborted) reader.fail(error);
      }
    });
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

interface WatchParts {
  readonly prefix: string;
  /** What happened until then the client knows; where others write to the store, the cache may not have heard of it yet. */
  readonly since: bigint;
  readonly selection: Selection;
  readonly sink: WatchSink;
  /** undefined: events are shown as they are. */
  readonly shown: ShownEvents | undefined;
  readonly end: () => void;
}

class WatchReader implements CacheReader {
  readonly end: () => void;
  readonly #parts: WatchParts;
  /** Events that come while older ones are still being read. */
  #held: ObjectEvent[] | undefined;
  #hasFailed = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.end = parts.end;
  }

  event(event: ObjectEvent): void {
    if (this.#held === undefined) this.replay(event);
    else if (this.#held.push(event) > heldEventsMost)
      this.fail(new StatusError('Expired', 'too old resource version: the client reads too slowly'));
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

  /** What is there at the start. */
  async state(objects: readonly StoredObject[], signal: AbortSignal): Promise<void> {
    const { selection, sink } = this.#parts;
    for (const object of objects) {
      if (this.#hasFailed) return;
      if (!selection.matches(object)) continue;
      sink.event('ADDED', object);
      if (sink.isFull) await sink.whenRead(signal);
    }
  }

  replay(event: ObjectEvent): void {
    const { prefix, since, shown } = this.#parts;
    if (this.#hasFailed || event.revision <= since || !event.object.key.startsWith(prefix)) return;
    if (shown === undefined) this.#send(event);
    else
      shown.push(
        event,
        (one) => this.#send(one),
        (error) => this.fail(error),
      );
  }

  /** Only when everything up to the revision was sent. */
  bookmark(revision: bigint, endsInitial: boolean): void {
    const isBehind = !endsInitial && (this.#held !== undefined || this.#parts.shown?.isWaiting === true);
    if (!isBehind && !this.#hasFailed) this.#parts.sink.bookmark(revision, endsInitial);
  }

  /** To the client an object that leaves the selection is deleted, and one that enters it is new. */
  #send({ object, before, isRemoval, revision }: ObjectEvent): void {
    const { selection, sink } = this.#parts;
    const was = before !== undefined && selection.matches(before);
    const is = !isRemoval && selection.matches(object);
    if (is) sink.event(was ? 'MODIFIED' : 'ADDED', object);
    else if (was) sink.event('DELETED', isRemoval ? object : before.at(revision));
  }

  /** Tells the client why nothing more comes. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#parts.sink.error(statusOf(error instanceof Error ? error : new Error(messageOf(error))));
    this.end();
  }
}
