import { storeSuite } from '#kit/store-suite/store-suite.ts';

import { openMemoryStore } from './open-memory-store.ts';

storeSuite({
  name: 'memory',
  runs: 200,
  open: async (owner, feed = {}) => {
    const store = openMemoryStore({ feed });
    owner.after(async () => await store[Symbol.asyncDispose]());
    return await Promise.resolve(store);
  },
});
