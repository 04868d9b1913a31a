import { storeSuite } from '#kit/store-suite/store-suite.ts';
import { tempFolder } from '#kit/temp-root.ts';

import { openSqliteStore } from './open-sqlite-store.ts';

storeSuite({
  name: 'sqlite',
  runs: 30,
  open: async (owner, feed = {}) => {
    const folder = tempFolder(owner);
    const store = await openSqliteStore(folder, { feed });
    owner.after(async () => await store[Symbol.asyncDispose]());
    return store;
  },
});
