import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { runController } from '#control/run-controller.ts';
import { inputOf, type Controller } from '#control/controller.ts';
import { SharedInformers } from '#control/shared-informers.ts';
import { type Client, kindOf } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';
import { Informer } from '#kube/client/informer.ts';
import { leadAndWork } from '#kube/client/leader-election.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { deployment } from '#kube/kinds/apps/deployment.ts';
import { lease } from '#kube/kinds/coordination/lease.ts';
import { namespace } from '#kube/kinds/core/namespace.ts';
import { secret } from '#kube/kinds/core/secret.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { ConfigMap, Secret } from '#kube/types/gen/core-v1.ts';
import type { Lease } from '#kube/types/gen/coordination-v1.ts';
import type { Http2Transport } from '#remote/http2-transport.ts';

import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { connectTo } from '../../kit/kube-client.ts';
import { makeRoot } from '../../kit/temp-root.ts';

const configMaps = kindOf<ConfigMap>(configMap);
const secrets = kindOf<Secret>(secret);
const leases = kindOf<Lease>(lease);
const { signal } = new AbortController();

let instance: Instance;
let transport: Http2Transport;
let client: Client;

before(async () => {
  instance = new Instance(makeRoot(), { settings: ['kubernetes.controllers=false'] });
  await instance.start();
  transport = connectTo(instance);
  client = createClient(transport);
});
after(async () => {
  await transport?.[Symbol.asyncDispose]();
  await instance?.destroy();
});

test('a client creates, reads, changes, applies and deletes', async () => {
  const key = { namespace: await newNamespace('client'), name: 'a' };
  const created = await client.create(configMaps, map(key, { x: '1' }), { fieldManager: 'me' }, signal);
  await assert.rejects(client.create(configMaps, map(key, {}), {}, signal), { statusReason: 'AlreadyExists' });
  const merged = await client.patch(configMaps, key, { type: 'merge', body: { data: { y: '2' } } }, {}, signal);
  assert.deepEqual(merged.data, { x: '1', y: '2' });
  await assert.rejects(client.update(configMaps, { ...created, data: {} }, {}, signal), { statusReason: 'Conflict' });
  const operations = [
    { op: 'test', path: '/data/x', value: '1' },
    { op: 'remove', path: '/data/x' },
  ];
  const patched = await client.patch(configMaps, key, { type: 'json', operations }, {}, signal);
  assert.deepEqual(patched.data, { y: '2' });
  await assert.rejects(client.patch(configMaps, key, { type: 'json', operations }, {}, signal), { code: 422 });
  const dry = { dryRun: true, fieldManager: 'other', force: true };
  assert.equal((await client.apply(configMaps, map(key, { y: '3' }), dry, signal)).data?.['y'], '3');
  assert.equal((await client.get(configMaps, key, signal)).data?.['y'], '2');
  await client.delete(configMaps, key, { preconditions: { uid: created.metadata.uid ?? '' } }, signal);
  await assert.rejects(client.get(configMaps, key, signal), { statusReason: 'NotFound' });
});

test('managers that apply meet conflicts, share fields and give them up', async () => {
  const key = { namespace: await newNamespace('apply'), name: 'web' };
  const apply = async (fieldManager: string, spec: object, force = false): Promise<Resource> =>
    client.apply(deployment, web(key, spec), { fieldManager, force }, signal);
  await apply('alice', { replicas: 2, ...template('a:1') });
  await assert.rejects(apply('bob', { replicas: 3, ...template('a:2') }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual(
      error.details?.causes?.map(({ reason, field, message }) => [reason, field, message]),
      ['.spec.replicas', '.spec.template.spec.containers[name="app"].image'].map((field) => [
        'FieldManagerConflict',
        field,
        'conflict with "alice"',
      ]),
    );
    return true;
  });
  const forced = await apply('bob', { replicas: 3, ...template('a:1') }, true);
  assert.equal(specOf(forced)['replicas'], 3);
  const again = await apply('bob', { replicas: 3, ...template('a:1') });
  assert.equal(again.metadata.resourceVersion, forced.metadata.resourceVersion, 'nothing changed, nothing is written');
  await apply('alice', template('a:1'));
  const scaled = await client.patch(
    deployment,
    key,
    { type: 'merge', body: { spec: { replicas: 5 } } },
    { fieldManager: 'scaler' },
    signal,
  );
  const owners = scaled.metadata.managedFields?.filter(({ fieldsV1 }) =>
    JSON.stringify(fieldsV1).includes('f:replicas'),
  );
  assert.deepEqual(
    owners?.map(({ manager, operation }) => [manager, operation]),
    [['scaler', 'Update']],
  );
});

test('an informer has what is there, what comes, and what it missed while the server was away', async () => {
  const ns = await newNamespace('informer');
  await client.create(configMaps, map({ namespace: ns, name: 'a' }, {}), {}, signal);
  const informer = new Informer(client, configMaps, { namespace: ns, labelSelector: 'made-by=test' });
  const stop = new AbortController();
  const done = informer.run(stop.signal);
  const names = (): string[] =>
    informer
      .list()
      .map(({ metadata }) => metadata.name ?? '')
      .toSorted();
  await informer.synced;
  assert.deepEqual(names(), ['a']);
  await client.create(configMaps, map({ namespace: ns, name: 'b' }, {}), {}, signal);
  await soon('b is seen', () => assert.deepEqual(names(), ['a', 'b']));
  await instance.kill9();
  await instance.start();
  await soon('the server is back', async () =>
    client.create(configMaps, map({ namespace: ns, name: 'c' }, {}), {}, signal),
  );
  await client.delete(configMaps, { namespace: ns, name: 'a' }, {}, signal);
  await soon('all is seen', () => assert.deepEqual(names(), ['b', 'c']));
  stop.abort();
  await done;
});

test('lists come whole by pages', async () => {
  const ns = await newNamespace('pages');
  for (let index = 0; index < 7; index += 1)
    await client.create(configMaps, map({ namespace: ns, name: `m${String(index)}` }, {}), {}, signal);
  const all: string[] = [];
  let at = '';
  do {
    const page = await client.list(
      configMaps,
      { namespace: ns, limit: 3, ...(at === '' ? {} : { continue: at }) },
      signal,
    );
    all.push(...page.items.map(({ metadata }) => metadata.name ?? ''));
    at = page.continue;
  } while (at !== '');
  assert.deepEqual(
    all.filter((name) => name.startsWith('m')),
    ['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6'],
  );
});

test('one candidate leads, and the next after it', async () => {
  const key = { namespace: await newNamespace('leader'), name: 'lead' };
  const leaders: string[] = [];
  const lead = (identity: string, ending: AbortSignal): Promise<void> =>
    leadAndWork(
      client,
      { lease: key, identity, retryMs: 100 },
      async (working) => {
        leaders.push(identity);
        await new Promise((resolve) => {
          working.addEventListener('abort', resolve, { once: true });
        });
      },
      ending,
    );
  const [one, two] = [new AbortController(), new AbortController()];
  const first = lead('one', one.signal);
  await soon('one leads', () => assert.deepEqual(leaders, ['one']));
  const second = lead('two', two.signal);
  assert.equal((await client.get(leases, key, signal)).spec?.holderIdentity, 'one');
  one.abort();
  await first;
  await soon('two leads', () => assert.deepEqual(leaders, ['one', 'two']));
  two.abort();
  await second;
  assert.equal((await client.get(leases, key, signal)).spec?.holderIdentity, '');
});

test('a controller does its work, and undoes what others break', async () => {
  const ns = await newNamespace('controller');
  const stop = new AbortController();
  await using informers = new SharedInformers(client);
  const done = runController(copies(ns), client, informers, {}, stop.signal);
  await client.create(configMaps, map({ namespace: ns, name: 'copy-me' }, {}), {}, signal);
  const key = { namespace: ns, name: 'copy-me' };
  const first = await eventually('a copy is made', async () => client.get(secrets, key, signal));
  await client.delete(secrets, key, {}, signal);
  await soon('another copy is made', async () => {
    const second = await client.get(secrets, key, signal);
    assert.notEqual(second.metadata.uid, first.metadata.uid);
  });
  stop.abort();
  await done;
});

test('the daemon ends while somebody watches', async () => {
  // The watch may end with an error before the daemon has ended.
  const watching = (async () => {
    for await (const _ of client.watch(configMaps, {}, signal)) continue;
  })().catch((error: unknown) => assert.ok(error instanceof Error));
  await client.list(configMaps, {}, signal);
  await instance.stop();
  await watching;
});

/** Keeps a Secret of the same name for each ConfigMap of a namespace whose name asks for it. */
function copies(ns: string): Controller<ConfigMap> {
  return {
    name: 'copies',
    primary: configMaps,
    inputs: [inputOf(secrets, ({ metadata }) => [{ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }])],
    outputs: [secrets],
    reconcile: async (key, world, working) => {
      const isOurs = key.namespace === ns && key.name.startsWith('copy-') && world.primary.get(key) !== undefined;
      if (isOurs && world.informer(secrets).get(key) === undefined)
        await world.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: key }, {}, working);
      return {};
    },
  };
}

/** Waits until it does not throw. */
async function soon(what: string, look: () => unknown): Promise<void> {
  await eventually(what, async () => {
    await look();
    return true;
  });
}

async function newNamespace(name: string): Promise<string> {
  await client.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, {}, signal);
  return name;
}

function map(key: { namespace: string; name: string }, data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...key, labels: { 'made-by': 'test' } }, data };
}

function web(key: { namespace: string; name: string }, spec: object): Resource {
  const selector = { matchLabels: { app: 'web' } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: key, spec: { selector, ...spec } };
}

function template(image: string): object {
  return { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image }] } } };
}

function specOf(object: Resource): Record<string, unknown> {
  return object['spec'] as Record<string, unknown>;
}
