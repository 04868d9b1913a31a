import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiRoutes } from '../api-routes.ts';
import type { Context } from '../context.ts';
import { policedRoutes, policyOf } from './route-policies.ts';

test('every endpoint has a policy, and every policy an endpoint', () => {
  const routes = apiRoutes({ engine: {}, versionInfo: { version: '1.2.3' } } as unknown as Context);
  const without = routes.filter(({ method, path }) => policyOf(method, path) === undefined);
  assert.deepEqual(
    without.map(({ method, path }) => `${method} ${path}`),
    [],
    'add a row to route-policies.ts: who may use the endpoint?',
  );
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual(
    policedRoutes().filter((route) => !known.has(route)),
    [],
  );
});

test('who only reads changes nothing and gets no files', () => {
  for (const route of policedRoutes()) {
    const [method = '', path = ''] = route.split(' ');
    const isReading = method === 'GET' || method === 'HEAD';
    const mustDeny = !isReading || /\/(archive|export|attach\/ws|get)$/.test(path);
    if (mustDeny) assert.equal(policyOf(method, path)?.readOnly, 'deny', route);
  }
});
