import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';
import { silentLogger } from '#base/logger.ts';
import { DockerClient } from '#kit/fake-engine/docker-client.ts';
import { FakeEngine } from '#kit/fake-engine/fake-engine.ts';
import { apiRoutes } from './api-routes.ts';
import type { Uploads } from './uploads.ts';

const routes = apiRoutes({
  engine: new FakeEngine('/nowhere').asEngine(),
  logger: silentLogger,
  versionInfo: { version: '0' },
  uploads: {} as Uploads,
});

/** Requests that go on until somebody stops them, or wait for something. */
const endless = /^\/(events|containers\/\{id\}\/(wait|stats|attach|logs))$|^\/exec\/\{id\}\/start$/;

const names = fc.constantFrom('web', 'fake', 'nope', 'bridge', 'data', 'a'.repeat(64), '..', '%00', '😀', '__proto__');
const words = fc.oneof(
  names,
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    '1',
    '-1',
    '1e9',
    'true',
    '{}',
    '[]',
    'null',
    '{"a":{"b":true}}',
    '{"label":["x"]}',
    '/',
    '9'.repeat(30),
  ),
);
const parameterNames = `all limit size filters name path platform signal t h w tag repo fromImage changes container
  since until type names dockerfile buildargs ulimits condition`.split(/\s+/);
const parameters = fc.constantFrom(...parameterNames);
const body = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.record({
    Image: fc.constant('fake'),
    Cmd: fc.constant(['wait']),
    Name: words,
    Container: names,
    Env: fc.jsonValue(),
    ExposedPorts: fc.dictionary(words, fc.constant({}), { maxKeys: 2 }),
    HostConfig: fc.record(
      {
        Binds: fc.array(words, { maxLength: 2 }),
        NetworkMode: words,
        PortBindings: fc.dictionary(words, fc.array(fc.record({ HostPort: words }), { maxLength: 2 }), { maxKeys: 2 }),
        Tmpfs: fc.dictionary(words, words, { maxKeys: 2 }),
        Memory: fc.oneof(fc.integer(), fc.double()),
        Mounts: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
    NetworkingConfig: fc.jsonValue({ maxDepth: 2 }),
  }),
);

describe('every endpoint', () => {
  test('is there once', () => {
    const keys = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+/g, '{')}`);
    assert.deepEqual(
      keys.filter((key, index) => keys.indexOf(key) !== index),
      [],
    );
  });

  test('answers whatever is sent without a defect', async (t) => {
    const client = await DockerClient.start(t);
    await client.run(['wait'], {}, '?name=web');
    await client.engine.volumes.create({ name: 'data' });
    client.engine.images.load = async () => ['x'];
    const finite = routes.filter(({ path, hijacks }) => !endless.test(path) && hijacks !== true && path !== '/build');
    const query = fc.array(fc.tuple(parameters, words), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...finite), names, query, body, async ({ method, path }, name, pairs, value) => {
        const target = path.replaceAll(/\{\w+\*?\}/g, encodeURIComponent(name));
        const search = new URLSearchParams(pairs);
        const bare = method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'PUT';
        const answer = await client.call(method, `${target}?${search.toString()}`, bare ? undefined : value);
        assert.notEqual(
          answer.status,
          500,
          `${method} ${target}?${search.toString()} ${JSON.stringify(value)} ${answer.text}`,
        );
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
