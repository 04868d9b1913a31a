import { deadline } from '#base/clock.ts';
import type { Change, Store } from '#store/store.ts';

import { never, text } from './driver.ts';

/** Far above what anything takes; a watch that is silent fails its test. */
const deadlineMs = 60_000;

/** A change in one line of text: `put key before>value @3`, the revision counted from `base`. */
export function tell(change: Change, base = 0n): string {
  const { type, key, value, before, revision } = change;
  return `${type} ${key} ${text(before) ?? ''}>${text(value) ?? ''} @${String(revision - base)}`;
}

/** The changes from `since` until a revision was reached, by a change or by progress; without progress. */
export async function changesUntil(store: Store, prefix: string, since: bigint, until: bigint): Promise<Change[]> {
  const stop = new AbortController();
  const changes: Change[] = [];
  for await (const change of store.watch(prefix, since, AbortSignal.any([stop.signal, deadline(deadlineMs)]))) {
    if (change.type !== 'progress') changes.push(change);
    if (change.revision >= until) stop.abort();
  }
  if (!stop.signal.aborted) throw new Error(`the watch never reached revision ${String(until)}`);
  return changes;
}

/** The next change of a watch that is no progress; throws when it ends. */
export async function nextChange(watch: AsyncIterator<Change>): Promise<Change> {
  for (;;) {
    const next = await watch.next();
    if (next.done === true) throw new Error('the watch has ended');
    if (next.value.type !== 'progress') return next.value;
  }
}

/** A watch from a revision on, with what ends it. */
export function openWatch(
  store: Store,
  prefix: string,
  since: bigint,
): { changes: AsyncIterator<Change>; stop: () => void } {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, deadline(deadlineMs)]);
  return { changes: store.watch(prefix, since, signal)[Symbol.asyncIterator](), stop: () => stop.abort() };
}

export async function revisionOf(store: Store): Promise<bigint> {
  return await store.revision(never);
}
