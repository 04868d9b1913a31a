import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { maximumApiVersion, splitVersion } from './api-version.ts';
import { resolveTarget } from './dispatcher.ts';
import { empty } from './reply.ts';
import { routeTable } from './route.ts';

const handle = (): ReturnType<typeof empty> => empty(200);
const routes = routeTable([
  { method: 'GET', path: '/things/json', handle },
  { method: 'GET', path: '/things/{id}/json', handle },
  { method: 'GET', path: '/images/{name*}/json', handle },
  { method: 'DELETE', path: '/images/{name*}', handle },
  { method: 'POST', path: '/new', handle, since: 40 },
]);

describe('routes', () => {
  const found: readonly (readonly [string, string, object])[] = [
    ['GET', '/things/json', {}],
    ['GET', '/things/a.b/json', { id: 'a.b' }],
    ['GET', '/images/localhost:5000/team/app:1/json', { name: 'localhost:5000/team/app:1' }],
    ['GET', '/v1.40/images/a%2Fb/json', { name: 'a/b' }],
    ['DELETE', '/images/a/json', { name: 'a/json' }],
    ['GET', '/things/x/json?all=1', { id: 'x' }],
    ['GET', 'http://docker/v1.24/things/x/json', { id: 'x' }],
  ];
  for (const [method, url, params] of found) {
    test(`${method} ${url}`, () => assert.deepEqual({ ...resolveTarget(routes, method, url).params }, params));
  }

  const missing: readonly (readonly [string, string])[] = [
    ['GET', '/things/a/b/json'],
    ['GET', '/things//json'],
    ['GET', '/thingsXjson'],
    ['POST', '/things/json'],
    ['POST', '/v1.39/new'],
    ['GET', ''],
  ];
  for (const [method, url] of missing) {
    test(`no ${method} ${url}`, () =>
      assert.throws(() => resolveTarget(routes, method, url), { reason: 'NotFound', message: 'page not found' }));
  }

  test('the query is split off and read', () => {
    const { query, version } = resolveTarget(routes, 'POST', '/v1.40/new?a=1&a=2&b=%20x?y');
    assert.deepEqual([query.texts('a'), query.text('b'), version], [['1', '2'], ' x?y', { major: 1, minor: 40 }]);
  });
});

describe('versions', () => {
  test('are split off the path', () => {
    assert.deepEqual(splitVersion('/v1.24/a'), { version: { major: 1, minor: 24 }, path: '/a' });
    assert.deepEqual(splitVersion('/a'), { version: maximumApiVersion, path: '/a' });
    assert.deepEqual(splitVersion('/volumes'), { version: maximumApiVersion, path: '/volumes' });
    assert.deepEqual(splitVersion('/v1/a'), { version: maximumApiVersion, path: '/v1/a' });
  });

  for (const path of ['/v1.55/a', '/v2.0/a', '/v1.23/a', '/v0.99/a']) {
    test(`refuses ${path}`, () => assert.throws(() => splitVersion(path), { reason: 'InvalidArgument' }));
  }
});
