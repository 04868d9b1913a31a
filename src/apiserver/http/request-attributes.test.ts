import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseRequest } from './request-info.ts';
import { attributesOf } from './request-attributes.ts';

const jane = { name: 'jane', uid: '', groups: [], extra: {} };

test('a selector that fixes fields tells authorization which objects are meant', () => {
  const of = (method: string, path: string, query: string) => {
    const search = new URLSearchParams(query);
    return attributesOf(parseRequest(method, path, search), search, jane);
  };
  const pods = '/api/v1/namespaces/a/pods';
  const secrets = of('GET', '/api/v1/namespaces/a/secrets', 'fieldSelector=metadata.name%3Dx&watch=true');
  assert.deepEqual([secrets.verb, 'name' in secrets && secrets.name], ['watch', 'x']);
  const mine = of('GET', pods, 'fieldSelector=spec.nodeName%3Dn,status.phase!%3DFailed');
  assert.deepEqual('fields' in mine && mine.fields, { 'spec.nodeName': 'n' });
  for (const query of ['', 'fieldSelector=%2C%3D', 'fieldSelector=a!%3Db'])
    assert.ok(!('fields' in of('GET', pods, query)), query);
  assert.ok(!('fields' in of('GET', `${pods}/x`, 'fieldSelector=metadata.name%3Dy')));
  assert.equal(of('GET', '/healthz', '').type, 'path');
});
