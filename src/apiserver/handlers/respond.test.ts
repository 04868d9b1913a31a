import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openMemoryApi } from '#kit/kube-api/memory-api.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: '1' },
  ...more,
});

describe('objects', () => {
  test('are created, read, replaced and deleted', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.must(api.post(maps, map('a')));
    assert.equal(made.metadata.namespace, 'default');
    assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
    assert.deepEqual(await api.must(api.get(`${maps}/a`)), made);
    const changed = await api.must(api.put(`${maps}/a`, { ...made, data: { a: '2' } }));
    assert.ok(BigInt(changed.metadata.resourceVersion) > BigInt(made.metadata.resourceVersion));
    assert.equal(changed.metadata.uid, made.metadata.uid);
    const gone = await api.must(api.delete(`${maps}/a`));
    assert.deepEqual(gone.details, { name: 'a', kind: 'configmaps', uid: made.metadata.uid });
    assert.equal((await api.get(`${maps}/a`)).status, 404);
  });

  test('a name is taken once', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.post(maps, map('a')));
    const { status, body } = await api.post(maps, map('a'));
    assert.equal(status, 409);
    assert.equal(body.reason, 'AlreadyExists');
    assert.equal(body.message, 'configmaps "a" already exists');
  });

  test('an update that did not see the latest state conflicts', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.must(api.post(maps, map('a')));
    await api.must(api.put(`${maps}/a`, { ...made, data: { a: '2' } }));
    const { status, body } = await api.put(`${maps}/a`, { ...made, data: { a: '3' } });
    assert.equal(status, 409);
    assert.match(body.message, /^Operation cannot be fulfilled on configmaps "a": the object has been modified/);
    assert.equal((await api.put(`${maps}/a`, map('a', { data: { a: '4' } }))).status, 200);
  });

  test('an update that changes nothing writes nothing', async (t) => {
    const api = await openMemoryApi(t);
    const made = await api.must(api.post(maps, map('a')));
    const same = await api.must(api.put(`${maps}/a`, made));
    assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
  });

  test('generateName makes names, and a dry run makes nothing', async (t) => {
    const api = await openMemoryApi(t);
    const unnamed = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'web-' } };
    const made = await api.must(api.post(maps, unnamed));
    assert.match(made.metadata.name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    const dry = await api.must(api.post(`${maps}?dryRun=All`, map('dry')));
    assert.equal(dry.metadata.name, 'dry');
    assert.equal((await api.get(`${maps}/dry`)).status, 404);
    assert.equal((await api.post(`${maps}?dryRun=None`, map('dry'))).status, 422);
  });

  const refusals: readonly (readonly [string, string, object, number, RegExp])[] = [
    [
      'POST',
      maps,
      { ...map('a'), metadata: { name: 'a', namespace: 'other' } },
      400,
      /namespace of the provided object does not match/,
    ],
    [
      'POST',
      maps,
      { ...map('a'), metadata: { name: 'a', resourceVersion: '1' } },
      400,
      /resourceVersion should not be set/,
    ],
    [
      'POST',
      maps,
      { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'a' } },
      400,
      /does not match the expected API version/,
    ],
    ['POST', maps, { ...map('A_b') }, 422, /ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b"/],
    ['POST', `${maps}?fieldValidation=Strict`, { ...map('a'), dta: {} }, 400, /unknown field "dta"/],
    ['PUT', `${maps}/b`, map('a'), 400, /the name of the object \(a\) does not match the name on the URL \(b\)/],
    ['PUT', `${maps}/none`, map('none'), 404, /configmaps "none" not found/],
    ['POST', `${maps}/a`, map('a'), 405, /does not allow this method/],
    ['GET', '/api/v1/soups', {}, 404, /page not found/],
    ['GET', '/apis/none/v1/soups', {}, 404, /page not found/],
    ['GET', `${maps}?limit=x`, {}, 400, /invalid syntax/],
    ['GET', `${maps}?fieldSelector=spec.x=y`, {}, 400, /not a known field selector|not supported/],
    ['GET', `${maps}?labelSelector=a in`, {}, 400, /unable to parse/],
    ['GET', `${maps}?resourceVersionMatch=Exact`, {}, 422, /forbidden unless resourceVersion is provided/],
    ['GET', `${maps}?watch=1&sendInitialEvents=true`, {}, 422, /requires setting resourceVersionMatch to NotOlderThan/],
  ];
  for (const [method, path, body, status, message] of refusals) {
    test(`${method} ${path} is refused with ${String(status)}: ${message.source}`, async (t) => {
      const api = await openMemoryApi(t);
      const answer = await api.send(method, path, method === 'GET' ? undefined : body);
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.body?.message ?? answer.text), message);
    });
  }

  test('who uses an old kind is told so', async (t) => {
    const api = await openMemoryApi(t);
    const list = await api.get('/api/v1/endpoints');
    assert.match(String(list.headers['warning']), /^299 - "v1 Endpoints is deprecated in v1\.33\+; use discovery\.k8s/);
    assert.equal((await api.get('/api/v1/services')).headers['warning'], undefined);
  });

  test('unknown fields are told of in a warning, and dropped', async (t) => {
    const api = await openMemoryApi(t);
    const { status, headers, body } = await api.post(maps, { ...map('a'), dta: {} });
    assert.equal(status, 201);
    assert.deepEqual(headers['warning'], ['299 - "unknown field \\"dta\\""']);
    assert.equal('dta' in body, false);
  });
});

describe('patches', () => {
  const rows: readonly (readonly [string, object])[] = [
    ['application/json-patch+json', [{ op: 'replace', path: '/data/a', value: '2' }]],
    ['application/merge-patch+json', { data: { a: '2' } }],
    ['application/strategic-merge-patch+json', { data: { a: '2' } }],
  ];
  for (const [type, patch] of rows) {
    test(type, async (t) => {
      const api = await openMemoryApi(t);
      await api.must(api.post(maps, map('a')));
      const patched = await api.must(api.patch(`${maps}/a`, type, patch));
      assert.deepEqual(patched.data, { a: '2' });
    });
  }

  test('apply makes what is not there, and says who owns what', async (t) => {
    const api = await openMemoryApi(t);
    const apply = 'application/apply-patch+yaml';
    const first = await api.patch(`${maps}/a?fieldManager=me`, apply, map('a'));
    assert.equal(first.status, 201);
    assert.equal(first.body.metadata.managedFields[0].manager, 'me');
    const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: '3' } };
    const second = await api.patch(`${maps}/a?fieldManager=you`, apply, other);
    assert.equal(second.status, 409);
    assert.match(second.body.message, /Apply failed with 1 conflict: conflict with "me"/);
    const forced = await api.patch(`${maps}/a?fieldManager=you&force=true`, apply, other);
    assert.equal(forced.status, 200);
    assert.deepEqual(forced.body.data, { a: '3' });
    assert.equal((await api.patch(`${maps}/a`, apply, other)).status, 422);
  });

  test('of other types are refused, and so is a patch of what is not there', async (t) => {
    const api = await openMemoryApi(t);
    const merge = 'application/merge-patch+json';
    assert.equal((await api.patch(`${maps}/a`, 'text/plain', {})).status, 415);
    assert.equal((await api.patch(`${maps}/a`, merge, {})).status, 404);
    assert.equal((await api.send('PATCH', `${maps}/a`, '{', { 'content-type': merge })).status, 400);
  });

  test('do not turn an object into another one', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.post(maps, map('a')));
    const merge = 'application/merge-patch+json';
    for (const patch of [{ metadata: { name: 'b' } }, { kind: 'Secret' }, { metadata: { namespace: 'other' } }])
      assert.equal((await api.patch(`${maps}/a`, merge, patch)).status, 400);
    assert.equal((await api.patch(`${maps}/a`, merge, { metadata: { uid: 'other' } })).status, 409);
  });
});

describe('lists', () => {
  test('come in pages that show one revision', async (t) => {
    const api = await openMemoryApi(t);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await api.must(api.post(maps, map(name)));
    const first = await api.must(api.get(`${maps}?limit=2`));
    assert.deepEqual(first.items.map(nameOf), ['a', 'b']);
    assert.equal(first.metadata.remainingItemCount, 3);
    await api.must(api.post(maps, map('bb')));
    const second = await api.must(api.get(`${maps}?limit=2&continue=${first.metadata.continue as string}`));
    assert.deepEqual(second.items.map(nameOf), ['c', 'd']);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const last = await api.must(api.get(`${maps}?limit=2&continue=${second.metadata.continue as string}`));
    assert.deepEqual(last.items.map(nameOf), ['e']);
    assert.equal(last.metadata.continue, undefined);
  });

  test('after a compaction the token goes on with what is there now', async (t) => {
    const api = await openMemoryApi(t);
    for (const name of ['a', 'b', 'c']) await api.must(api.post(maps, map(name)));
    const { metadata } = await api.must(api.get(`${maps}?limit=1`));
    await api.must(api.post(maps, map('bb')));
    const { signal } = new AbortController();
    await api.store.compact(await api.store.revision(signal), signal);
    const expired = await api.get(`${maps}?limit=1&continue=${metadata.continue as string}`);
    assert.equal(expired.status, 410);
    assert.equal(expired.body.reason, 'Expired');
    const rest = await api.must(api.get(`${maps}?continue=${expired.body.metadata.continue as string}`));
    assert.deepEqual(rest.items.map(nameOf), ['b', 'bb', 'c']);
  });

  test('are narrowed by labels and fields', async (t) => {
    const api = await openMemoryApi(t);
    for (const [name, tier] of Object.entries({ a: 'x', b: 'y', c: 'x' }))
      await api.must(api.post(maps, map(name, { metadata: { name, labels: { tier } } })));
    const names = async (query: string): Promise<readonly string[]> =>
      (await api.must(api.get(`${maps}?${query}`))).items.map(nameOf);
    assert.deepEqual(await names('labelSelector=tier=x'), ['a', 'c']);
    assert.deepEqual(await names('labelSelector=tier%20notin%20(x)'), ['b']);
    assert.deepEqual(await names('fieldSelector=metadata.name!=a'), ['b', 'c']);
    assert.deepEqual(await names('labelSelector=tier=x&limit=1'), ['a']);
  });

  test('show a revision that is asked for, and refuse one to come', async (t) => {
    const api = await openMemoryApi(t);
    const a = await api.must(api.post(maps, map('a')));
    await api.must(api.post(maps, map('b')));
    const version = a.metadata.resourceVersion as string;
    const exact = await api.must(api.get(`${maps}?resourceVersion=${version}&resourceVersionMatch=Exact`));
    assert.deepEqual(exact.items.map(nameOf), ['a']);
    const later = await api.must(api.get(`${maps}?resourceVersion=${version}`));
    assert.deepEqual(later.items.map(nameOf), ['a', 'b']);
    assert.equal((await api.get(`${maps}?resourceVersion=999999&resourceVersionMatch=Exact`)).status, 504);
  });

  test('are tables and metadata where that is asked for', async (t) => {
    const api = await openMemoryApi(t);
    await api.must(api.post(maps, map('a')));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const table = await api.must(api.get(maps, { accept }));
    assert.equal(table.kind, 'Table');
    assert.deepEqual(table.columnDefinitions.map(nameOfColumn), ['Name', 'Data', 'Age']);
    assert.equal(table.rows[0].cells[0], 'a');
    assert.equal(table.rows[0].object.kind, 'PartialObjectMetadata');
    const full = await api.must(api.get(`${maps}/a?includeObject=Object`, { accept }));
    assert.deepEqual(full.rows[0].object.data, { a: '1' });
    const partial = await api.must(
      api.get(maps, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' }),
    );
    assert.equal(partial.items[0].data, undefined);
    assert.equal((await api.get(maps, { accept: 'text/html' })).status, 406);
    const yaml = await api.get(`${maps}/a`, { accept: 'application/yaml' });
    assert.match(yaml.text, /^kind: ConfigMap$/m);
  });

  test('whole collections are deleted', async (t) => {
    const api = await openMemoryApi(t);
    for (const name of ['a', 'b', 'c']) await api.must(api.post(maps, map(name)));
    await api.must(api.delete(`${maps}?fieldSelector=metadata.name!=b`));
    assert.deepEqual((await api.must(api.get(maps))).items.map(nameOf), ['b']);
  });
});

function nameOf(object: { metadata: { name: string } }): string {
  return object.metadata.name;
}

function nameOfColumn({ name }: { name: string }): string {
  return name;
}
