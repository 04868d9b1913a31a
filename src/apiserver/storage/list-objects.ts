import { StatusError } from '#base/errors.ts';
import { ApiError, type Status } from '#kube/status.ts';

import type { View } from '../resources/served-resource.ts';
import { continueTokenText, parseContinueToken, type ContinueToken } from './continue-token.ts';
import type { ListOptions } from './list-options.ts';
import type { ObjectStorage } from './object-storage.ts';
import type { Selection } from './selection.ts';
import { StoredObject } from './stored-object.ts';

export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  readonly revision: bigint;
  /** Token of the next page; empty: this is the last. */
  readonly continueToken: string;
  /** Objects after this page; undefined where upstream does not tell (selectors, last page). */
  readonly remaining: number | undefined;
}

/** Objects that are read at a time while a selector leaves most of them out. */
const chunkLength = 500;

/** What a list is about. */
export interface Listing {
  readonly storage: ObjectStorage;
  /** undefined: as they are stored. */
  readonly view: View | undefined;
  /** Empty: of all namespaces. */
  readonly namespace: string;
  readonly options: ListOptions;
  readonly selection: Selection;
}

/**
 * Objects as a version shows them. Throws Expired for what was compacted, Timeout for a revision that is still to come,
 * and what the view throws.
 */
export async function listObjects(listing: Listing, signal: AbortSignal): Promise<ObjectPage> {
  const { storage, options } = listing;
  const { continueToken, revision, match } = options;
  if (continueToken !== '') {
    const token = parseContinueToken(continueToken);
    return listFromStore(listing, token, signal);
  }
  if (match === 'Exact' && revision !== undefined) {
    const from = { revision, after: '' };
    return listFromStore(listing, from, signal);
  }
  await (revision === undefined ? storage.fresh(signal) : storage.reach(revision, signal));
  return listFromCache(listing, signal);
}

async function listFromCache(listing: Listing, signal: AbortSignal): Promise<ObjectPage> {
  const { storage, view, namespace, selection } = listing;
  const { limit } = listing.options;
  const { revision } = storage.cache;
  const all = storage.cache.list(storage.prefixOf(namespace));
  const shown = async (some: readonly StoredObject[]) => (await view?.(some, signal)) ?? some;
  const { isEverything } = selection;
  const chosen = isEverything ? all : (await shown(all)).filter((object) => selection.matches(object));
  const page = limit === 0 ? chosen : chosen.slice(0, limit);
  const objects = isEverything ? await shown(page) : page;
  if (objects.length === chosen.length) return { objects, revision, continueToken: '', remaining: undefined };
  const after = objects.at(-1)?.key.slice(storage.prefix.length) ?? '';
  return {
    objects,
    revision,
    continueToken: continueTokenText({ revision, after }),
    remaining: selection.isEverything ? chosen.length - limit : undefined,
  };
}

async function listFromStore(listing: Listing, from: ContinueToken, signal: AbortSignal): Promise<ObjectPage> {
  const { storage, view, namespace, selection } = listing;
  const { limit } = listing.options;
  const objects: StoredObject[] = [];
  let { after, revision } = from;
  for (;;) {
    const wanted = limit === 0 ? chunkLength : selection.isEverything ? limit - objects.length : chunkLength;
    const page = await readPage(storage, namespace, { revision, after }, wanted, signal);
    revision = page.revision;
    const stored = page.entries.map(({ key, revision: at, value }) => new StoredObject(key, at, value));
    for (const [index, object] of ((await view?.(stored, signal)) ?? stored).entries()) {
      after = object.key.slice(storage.prefix.length);
      if (!selection.matches(object)) continue;
      objects.push(object);
      const left = page.entries.length - 1 - index + page.remaining;
      if (objects.length !== limit || left === 0) continue;
      const remaining = selection.isEverything ? left : undefined;
      return { objects, revision, continueToken: continueTokenText({ revision, after }), remaining };
    }
    if (!page.hasMore) return { objects, revision, continueToken: '', remaining: undefined };
  }
}

async function readPage(
  storage: ObjectStorage,
  namespace: string,
  { revision, after }: ContinueToken,
  limit: number,
  signal: AbortSignal,
): ReturnType<ObjectStorage['store']['list']> {
  const page = {
    limit,
    ...(after === '' ? {} : { after: storage.prefix + after }),
    ...(revision === undefined ? {} : { at: revision }),
  };
  try {
    return await storage.store.list(storage.prefixOf(namespace), page, signal);
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'Expired') throw error;
    throw after === '' ? new ApiError('Expired', error.message) : new ExpiredPage(after);
  }
}

/** With a token that goes on with what is there now. */
class ExpiredPage extends ApiError {
  readonly #after: string;

  constructor(after: string) {
    super('Expired', expiredText);
    this.#after = after;
  }

  override toStatus(): Status {
    const metadata = { continue: continueTokenText({ revision: undefined, after: this.#after }) };
    return { ...super.toStatus(), metadata };
  }
}

const expiredText =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';
