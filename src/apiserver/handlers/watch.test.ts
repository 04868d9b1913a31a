import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi, type MemoryApi } from '#kit/kube-api/memory-api.ts';

const maps = '/api/v1/namespaces/default/configmaps';

async function create(api: MemoryApi, name: string, labels: object = {}, namespace = 'default'): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const made = await api.must(api.post(path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } }));
  return made.metadata.resourceVersion as string;
}

describe('watches', () => {
  test('begin with what is there, or after a revision', async (t) => {
    const api = await openMemoryApi(t);
    const first = await create(api, 'a');
    const all = api.watch(`${maps}?watch=true`);
    assert.deepEqual(await all.names(1), ['ADDED a']);
    await create(api, 'b');
    assert.deepEqual(await all.names(1), ['ADDED b']);
    const since = api.watch(`${maps}?watch=true&resourceVersion=${first}`);
    assert.deepEqual(await since.names(1), ['ADDED b']);
    await api.must(api.delete(`${maps}/a`));
    assert.deepEqual(await since.names(1), ['DELETED a']);
    assert.deepEqual(await all.names(1), ['DELETED a']);
    all.end();
    since.end();
  });

  test('an object that leaves a selection is deleted for its watcher', async (t) => {
    const api = await openMemoryApi(t);
    const watch = api.watch(`${maps}?watch=true&labelSelector=on=yes`);
    await create(api, 'other');
    await create(api, 'a', { on: 'yes' });
    assert.deepEqual(await watch.names(1), ['ADDED a']);
    const merge = 'application/merge-patch+json';
    await api.must(api.patch(`${maps}/a`, merge, { data: { x: '1' } }));
    const changed = await api.must(api.patch(`${maps}/a`, merge, { metadata: { labels: { on: 'no' } } }));
    assert.deepEqual(await watch.names(1), ['MODIFIED a']);
    const left = await watch.next();
    assert.equal(left.type, 'DELETED');
    assert.equal(left.object.metadata.labels.on, 'yes');
    assert.equal(left.object.metadata.resourceVersion, changed.metadata.resourceVersion);
    await api.must(api.patch(`${maps}/a`, merge, { metadata: { labels: { on: 'yes' } } }));
    assert.deepEqual(await watch.names(1), ['ADDED a']);
    watch.end();
  });

  test('tell the end of the initial events when that is asked for', async (t) => {
    const api = await openMemoryApi(t);
    await create(api, 'a');
    const watch = api.watch(
      `${maps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    assert.deepEqual(await watch.names(1), ['ADDED a']);
    const { type, object } = await watch.next();
    assert.equal(type, 'BOOKMARK');
    assert.equal(object.kind, 'ConfigMap');
    assert.equal(object.metadata.annotations['k8s.io/initial-events-end'], 'true');
    await create(api, 'b');
    assert.deepEqual(await watch.names(1), ['ADDED b']);
    watch.end();
  });

  test('of one namespace do not show others', async (t) => {
    const api = await openMemoryApi(t);
    const watch = api.watch(`${maps}?watch=true`);
    await create(api, 'x', {}, 'kube-system');
    await create(api, 'a');
    assert.deepEqual(await watch.names(1), ['ADDED a']);
    watch.end();
  });

  test('from a revision that was compacted get an error of code 410', async (t) => {
    const api = await openMemoryApi(t);
    await create(api, 'a');
    const { signal } = new AbortController();
    await api.store.compact(await api.store.revision(signal), signal);
    const watch = api.watch(`${maps}?watch=true&resourceVersion=1`);
    const { type, object } = await watch.next();
    assert.equal(type, 'ERROR');
    assert.equal(object.code, 410);
    assert.equal(object.reason, 'Expired');
    assert.equal(await watch.next(), undefined);
  });

  test('from before the cache was filled replay the store', async (t) => {
    const api = await openMemoryApi(t);
    await create(api, 'a');
    await api.must(api.delete(`${maps}/a`));
    // Revision 1 is that of an empty store, before the server made its own objects and filled its caches.
    const watch = api.watch(`${maps}?watch=true&resourceVersion=1`);
    assert.deepEqual(await watch.names(2), ['ADDED a', 'DELETED a']);
    await create(api, 'b');
    assert.deepEqual(await watch.names(1), ['ADDED b']);
    watch.end();
  });

  test('show rows of a table, whose columns come once', async (t) => {
    const api = await openMemoryApi(t);
    await create(api, 'a');
    const watch = api.watch(`${maps}?watch=true`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    const first = await watch.next();
    assert.equal(first.object.kind, 'Table');
    assert.equal(first.object.columnDefinitions.length, 3);
    await create(api, 'b');
    const second = await watch.next();
    assert.equal(second.object.columnDefinitions, null);
    assert.equal(second.object.rows[0].cells[0], 'b');
    watch.end();
  });
});
