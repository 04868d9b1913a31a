import { StatusError } from '#base/errors.ts';
import { ApiError, type Status } from '#kube/status.ts';

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

/** Throws Expired for what was compacted, Timeout for a revision that is still to come. */
export async function listObjects(
  storage: ObjectStorage,
  namespace: string,
  options: ListOptions,
  selection: Selection,
  signal: AbortSignal,
): Promise<ObjectPage> {
  const { continueToken, revision, match } = options;
  if (continueToken !== '') {
    const token = parseContinueToken(continueToken);
    return listFromStore(storage, namespace, token, options, selection, signal);
  }
  if (match === 'Exact' && revision !== undefined) {
    const from = { revision, after: '' };
    return listFromStore(storage, namespace, from, options, selection, signal);
  }
  await (revision === undefined ? storage.fresh(signal) : storage.reach(revision, signal));
  return listFromCache(storage, namespace, options.limit, selection);
}

function listFromCache(storage: ObjectStorage, namespace: string, limit: number, selection: Selection): ObjectPage {
  const { revision } = storage.cache;
  const all = storage.cache.list(storage.prefixOf(namespace));
  const chosen = selection.isEverything ? all : all.filter((object) => selection.matches(object));
  if (limit === 0 || chosen.length <= limit)
    return { objects: chosen, revision, continueToken: '', remaining: undefined };
  const objects = chosen.slice(0, limit);
  const after = objects.at(-1)?.key.slice(storage.prefix.length) ?? '';
  return {
    objects,
    revision,
    continueToken: continueTokenText({ revision, after }),
    remaining: selection.isEverything ? chosen.length - limit : undefined,
  };
}

async function listFromStore(
  storage: ObjectStorage,
  namespace: string,
  from: ContinueToken,
  { limit }: ListOptions,
  selection: Selection,
  signal: AbortSignal,
): Promise<ObjectPage> {
  const objects: StoredObject[] = [];
  let { after, revision } = from;
  for (;;) {
    const wanted = limit === 0 ? chunkLength : selection.isEverything ? limit - objects.length : chunkLength;
    const page = await readPage(storage, namespace, { revision, after }, wanted, signal);
    revision = page.revision;
    for (const [index, entry] of page.entries.entries()) {
      const object = new StoredObject(entry.key, entry.revision, entry.value);
      after = entry.key.slice(storage.prefix.length);
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
