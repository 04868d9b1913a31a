import type { Change, Entry, Store } from '#store/store.ts';

import type { EncryptedKinds, Provider } from './encryption-configuration.ts';
import { decryptValue, encryptValue } from './transform-value.ts';

/** Keys of objects are `PREFIX/GROUP/RESOURCE/...`, with `core` for the core group. */
const keyForm = /^\/registry\/([^/]+)\/([^/]+)\//;

/** A store whose values of some kinds are encrypted on the disk. What is read in plain text is encrypted by its next write. */
export function encryptedStore(store: Store, kinds: readonly EncryptedKinds[]): Store {
  const open = (value: Uint8Array, key: string): Uint8Array => {
    const providers = providersFor(key, kinds);
    return providers === undefined ? value : decryptValue(value, key, providers).value;
  };
  const openEntry = (entry: Entry): Entry => ({ ...entry, value: open(entry.value, entry.key) });
  const openChange = (change: Change): Change =>
    change.type === 'progress'
      ? change
      : {
          ...change,
          value: open(change.value, change.key),
          before: change.before === undefined ? undefined : open(change.before, change.key),
        };
  return {
    get: async (key, ...rest) => {
      const entry = await store.get(key, ...rest);
      return entry === undefined ? undefined : openEntry(entry);
    },
    list: async (...asked) => {
      const listing = await store.list(...asked);
      return { ...listing, entries: listing.entries.map(openEntry) };
    },
    put: async (key, value, ...rest) => {
      const providers = providersFor(key, kinds);
      return await store.put(key, providers === undefined ? value : encryptValue(value, key, providers), ...rest);
    },
    remove: async (...asked) => await store.remove(...asked),
    watch: (...asked) => openChanges(store.watch(...asked), openChange),
    revision: async (signal) => await store.revision(signal),
    compact: async (before, signal) => await store.compact(before, signal),
    [Symbol.asyncDispose]: async () => await store[Symbol.asyncDispose](),
  };
}

async function* openChanges(changes: AsyncIterable<Change>, open: (change: Change) => Change): AsyncGenerator<Change> {
  for await (const change of changes) yield open(change);
}

/** Of the first row that names the kind of a key; undefined: its values are stored as they are. */
export function providersFor(key: string, kinds: readonly EncryptedKinds[]): readonly Provider[] | undefined {
  const [, group = '', resource = ''] = keyForm.exec(key) ?? [];
  if (resource === '') return undefined;
  const own = group === 'core' ? '' : group;
  const names = [own === '' ? resource : `${resource}.${own}`, `*.${own}`, '*.*'];
  return kinds.find(({ resources }) => resources.some((one) => names.includes(one)))?.providers;
}
