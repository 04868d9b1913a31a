import { after } from 'node:test';

import { newId } from '#base/ids.ts';
import { startEtcd } from '../../kit/etcd.ts';
import { storeSuite } from '../../kit/store-suite/store-suite.ts';
import { openEtcdStore } from '#store/etcd/open-etcd-store.ts';

const etcd = startEtcd({ after });
const never = new AbortController().signal;

storeSuite({
  name: 'etcd',
  runs: 20,
  open: async (owner, feed = {}) => {
    // A part of its own of one cluster, which it may compact.
    const options = { prefix: `/${newId().slice(0, 12)}`, compactEveryMs: 0, feed };
    const store = await openEtcdStore((await etcd).url, options, never);
    owner.after(async () => await store[Symbol.asyncDispose]());
    return store;
  },
});
