import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forbiddenText } from './forbidden-text.ts';

const user = { name: 'jane', uid: '', groups: [], extra: {} };
const pods = {
  type: 'resource',
  user,
  verb: 'list',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: '',
} as const;

const cases = [
  [pods, '', 'User "jane" cannot list resource "pods" in API group "" in the namespace "default"'],
  [
    { ...pods, verb: 'patch', group: 'apps', resource: 'deployments', subresource: 'scale', namespace: '' },
    'no relationship found',
    'User "jane" cannot patch resource "deployments/scale" in API group "apps" at the cluster scope: no relationship found',
  ],
  [{ type: 'path', user, verb: 'get', path: '/metrics' }, '', 'User "jane" cannot get path "/metrics"'],
] as const;

test('refusals are worded as upstream words them', () => {
  for (const [attributes, reason, expected] of cases) assert.equal(forbiddenText(attributes, reason), expected);
});
