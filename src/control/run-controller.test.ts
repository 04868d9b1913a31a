import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createLogger } from '#base/logger.ts';
import { FakeClock, settle } from '#kit/fake-clock.ts';
import { MemoryApi } from '#kit/memory-api.ts';
import { kindOf, type ObjectKey } from '#kube/client/client.ts';
import { createClient } from '#kube/client/create-client.ts';
import { configMap } from '#kube/kinds/core/config-map.ts';
import { node } from '#kube/kinds/core/node.ts';
import { secret } from '#kube/kinds/core/secret.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { ConfigMap, Node, Secret } from '#kube/types/gen/core-v1.ts';

import { type Controller, inputOf, type Outcome, ownedBy, type World } from './controller.ts';
import { runController } from './run-controller.ts';
import { SharedInformers } from './shared-informers.ts';

const configMaps = kindOf<ConfigMap>(configMap);
const secrets = kindOf<Secret>(secret);
const nodes = kindOf<Node>(node);
const maps = '/api/v1/namespaces/ns/configmaps/';
const copies = '/api/v1/namespaces/ns/secrets/';

describe('a controller', () => {
  test('is called for what is there and for what comes, and makes what is missing', async () => {
    await using running = start((world) => world.put(`${maps}a`, map('a')));
    await settle();
    assert.deepEqual(running.secrets(), ['a']);
    running.api.put(`${maps}b`, map('b'));
    await settle();
    assert.deepEqual(running.secrets(), ['a', 'b']);
  });

  test('is called when what it owns changes, and makes it again', async () => {
    await using running = start((world) => world.put(`${maps}a`, map('a')));
    await settle();
    running.api.remove(`${copies}a`);
    await settle();
    assert.deepEqual(running.secrets(), ['a']);
    assert.deepEqual(running.calls.filter((call) => call === 'ns/a').length >= 2, true);
  });

  test('is called when something else concerns an object, before or after a change', async () => {
    await using running = start((world) => world.put(`${maps}a`, map('a')), { inputs: [nodeInput] });
    await settle();
    running.calls.length = 0;
    running.api.put('/api/v1/nodes/n', nodeFor('a'));
    await settle();
    assert.deepEqual(running.calls, ['ns/a']);
    running.api.put('/api/v1/nodes/n', nodeFor('z'));
    await settle();
    assert.deepEqual(running.calls.toSorted(), ['ns/a', 'ns/a', 'ns/z']);
  });

  test('is called again after failures, later each time, and others do not wait', async () => {
    let failures = 3;
    const fail = (key: ObjectKey): void => {
      if (key.name === 'bad' && failures-- > 0) throw new Error('broken');
    };
    await using running = start((world) => ['bad', 'good'].map((name) => world.put(maps + name, map(name))), {
      before: fail,
    });
    await settle();
    assert.deepEqual(running.secrets(), ['good']);
    await running.clock.advance(5);
    await running.clock.advance(10);
    assert.deepEqual(running.secrets(), ['good']);
    await running.clock.advance(20);
    assert.deepEqual(running.secrets(), ['bad', 'good']);
    assert.deepEqual(
      running.logged.map(({ level, failures }) => [level, failures]),
      [
        ['warn', 1],
        ['warn', 2],
        ['warn', 3],
      ],
    );
  });

  test('that meets a conflict tries again, and does not complain', async () => {
    await using running = start((world) => {
      world.put(`${maps}a`, map('a'));
      world.failures.push({ match: 'POST', error: new ApiError('Conflict', 'changed') });
    });
    await running.clock.advance(10);
    assert.deepEqual(running.secrets(), ['a']);
    assert.deepEqual(
      running.logged.map(({ level }) => level),
      ['debug'],
    );
  });

  test('is called again when it wants to be', async () => {
    await using running = start((world) => world.put(`${maps}a`, map('a')), { outcome: { againAfterMs: 60_000 } });
    await settle();
    running.calls.length = 0;
    await running.clock.advance(59_000);
    assert.equal(running.calls.length, 0);
    await running.clock.advance(2000);
    assert.equal(running.calls.length, 1);
  });

  test('is called only when all that it reads is at hand', async () => {
    await using running = start((world) => {
      world.put(`${maps}a`, map('a'));
      world.failures.push({ match: '/secrets', error: new ApiError('InternalError', 'not now') });
    });
    await settle();
    assert.deepEqual(running.calls, []);
    await running.clock.advance(5000);
    assert.deepEqual(running.calls.slice(0, 1), ['ns/a']);
  });

  test('never looks at one object twice at a time', async () => {
    await using running = start((world) => world.put(`${maps}a`, map('a')), { isSlow: true });
    await settle();
    for (let index = 0; index < 5; index += 1) running.api.put(`${maps}a`, map('a', String(index)));
    await settle();
    assert.equal(running.calls.length, 1);
    running.goOn();
    await settle();
    assert.equal(running.calls.length, 2);
    running.goOn();
  });

  test('reads only its inputs', async () => {
    let caught: unknown;
    const before = (_: ObjectKey, world: World<ConfigMap>): void => {
      try {
        world.informer(nodes);
      } catch (error) {
        caught = error;
      }
    };
    await using running = start((world) => world.put(`${maps}a`, map('a')), { before });
    await settle();
    assert.match(String(caught), /Node is no input of the controller copies/);
    assert.equal(running.calls[0], 'ns/a');
  });

  test('ends with its signal, also before anything was read', async () => {
    const api = new MemoryApi();
    const stop = new AbortController();
    const clock = new FakeClock();
    for (let index = 0; index < 9; index += 1)
      api.failures.push({ match: 'GET', error: new ApiError('InternalError', 'x') });
    await using informers = new SharedInformers(createClient(api), { clock });
    const done = runController(copier({}, []), createClient(api), informers, { clock }, stop.signal);
    await settle();
    stop.abort();
    await done;
  });
});

describe('inputs', () => {
  test('lead to the owner that is the controller, of the right kind', () => {
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'u', controller: true };
    const input = ownedBy(configMaps, secrets);
    const owned = (...ownerReferences: (typeof owner)[]): Secret => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'ns', ownerReferences },
    });
    assert.deepEqual(input.keysOf(owned(owner), nowhere), [{ namespace: 'ns', name: 'a' }]);
    assert.deepEqual(input.keysOf(owned({ ...owner, controller: false }, owner), nowhere), [
      { namespace: 'ns', name: 'a' },
    ]);
    for (const other of [
      { ...owner, controller: false },
      { ...owner, kind: 'Pod' },
      { ...owner, apiVersion: 'x/v1' },
    ])
      assert.deepEqual(input.keysOf(owned(other), nowhere), []);
    assert.deepEqual(ownedBy(nodes, secrets).keysOf(owned({ ...owner, kind: 'Node' }), nowhere), [
      { namespace: '', name: 'a' },
    ]);
  });

  test('of one kind are watched once', async () => {
    const api = new MemoryApi();
    await using informers = new SharedInformers(createClient(api), { clock: new FakeClock() });
    assert.equal(informers.of(configMaps), informers.of(configMaps));
    informers.of(secrets);
    await settle();
    assert.equal(api.watchers, 2);
  });
});

/** For inputs that look at nothing else. */
const nowhere = {} as World<Resource>;

interface Behaviour {
  readonly before?: (key: ObjectKey, world: World<ConfigMap>) => void;
  readonly outcome?: Outcome;
  readonly isSlow?: boolean;
  readonly inputs?: Controller<ConfigMap>['inputs'];
}

interface Running extends AsyncDisposable {
  readonly api: MemoryApi;
  readonly clock: FakeClock;
  readonly calls: string[];
  readonly logged: { level: string; failures: number }[];
  secrets(): string[];
  goOn(): void;
}

const nodeInput = inputOf(nodes, ({ metadata }) => [{ namespace: 'ns', name: metadata.labels?.['for'] ?? '' }]);

/** Makes a Secret of the same name for each ConfigMap. */
function copier(behaviour: Behaviour, calls: string[], pause?: () => Promise<void>): Controller<ConfigMap> {
  return {
    name: 'copies',
    primary: configMaps,
    inputs: [ownedBy(configMaps, secrets), ...(behaviour.inputs ?? [])],
    outputs: [secrets],
    reconcile: async (key, world, signal) => {
      calls.push(`${key.namespace}/${key.name}`);
      await pause?.();
      behaviour.before?.(key, world);
      const original = world.primary.get(key);
      if (original !== undefined && world.informer(secrets).get(key) === undefined) {
        const { apiVersion, kind, metadata } = original;
        const owner = { apiVersion, kind, name: key.name, uid: metadata.uid ?? '', controller: true };
        const copy: Secret = { apiVersion, kind: 'Secret', metadata: { ...key, ownerReferences: [owner] } };
        await world.client.create(secrets, copy, {}, signal);
      }
      return behaviour.outcome ?? {};
    },
  };
}

function start(prepare: (api: MemoryApi) => unknown, behaviour: Behaviour = {}): Running {
  const api = new MemoryApi();
  prepare(api);
  const clock = new FakeClock();
  const client = createClient(api);
  const stop = new AbortController();
  const informers = new SharedInformers(client, { clock });
  const calls: string[] = [];
  const logged: Running['logged'] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Running['logged'][number]);
  const logger = createLogger({ level: 'debug', format: 'json', write });
  const waiting: (() => void)[] = [];
  const pause =
    behaviour.isSlow === true ? async (): Promise<void> => new Promise((resolve) => waiting.push(resolve)) : undefined;
  const controller = copier(behaviour, calls, pause);
  const done = runController(controller, client, informers, { clock, logger }, stop.signal);
  return {
    api,
    clock,
    calls,
    logged,
    secrets: () =>
      informers
        .of(secrets)
        .list()
        .map(({ metadata }) => metadata.name ?? '')
        .toSorted(),
    goOn: () => waiting.splice(0).forEach((resolve) => resolve()),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      waiting.splice(0).forEach((resolve) => resolve());
      await done;
      await informers[Symbol.asyncDispose]();
    },
  };
}

function map(name: string, v = '1'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ns' }, data: { v } };
}

function nodeFor(name: string): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels: { for: name } } };
}
