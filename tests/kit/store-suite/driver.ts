import { type Reason, reasonOf } from '#base/errors.ts';
import type { FeedBounds } from '#store/change-feed.ts';
import type { Store } from '#store/store.ts';

import type { Owner } from '../temp-root.ts';

/** Opens a store without any key, which goes with the test. */
export type OpenStore = (owner: Owner, feed?: Partial<FeedBounds>) => Promise<Store>;

/** Tests by what they show. */
export type Cases = Readonly<Record<string, (owner: Owner, open: OpenStore) => Promise<void>>>;

/** A driver under test. */
export interface Driver {
  readonly name: string;
  readonly open: OpenStore;
  /** Runs of each property. */
  readonly runs: number;
}

export const never = new AbortController().signal;

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

/** A matcher for assert.rejects. */
export function reason(wanted: Reason): (error: unknown) => boolean {
  return (error) => reasonOf(error) === wanted;
}
