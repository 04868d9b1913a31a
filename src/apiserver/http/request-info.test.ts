import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { assert as check, property, webPath, webQueryParameters } from 'fast-check';

import { ApiError } from '#kube/status.ts';

import { isCollection, parseRequest } from './request-info.ts';

/** `verb group/version namespace resource name subresource tail`, with `-` for what is empty. */
function parsed(method: string, url: string): string {
  const [path = '', search = ''] = url.split('?');
  const info = parseRequest(method, path, new URLSearchParams(search));
  if (info.type === 'path') return `path ${info.verb} ${info.path}`;
  const { verb, group, version, namespace, resource, name, subresource, tail } = info;
  return [verb, `${group}/${version}`, namespace, resource, name, subresource, tail].map((one) => one || '-').join(' ');
}

describe('parseRequest', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['GET', '/api/v1/pods', 'list /v1 - pods - - -'],
    ['GET', '/api/v1/namespaces/a/pods', 'list /v1 a pods - - -'],
    ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch /v1 a pods - - -'],
    ['GET', '/api/v1/namespaces/a/pods?watch=0', 'list /v1 a pods - - -'],
    ['GET', '/api/v1/watch/namespaces/a/pods', 'watch /v1 a pods - - -'],
    ['GET', '/api/v1/namespaces/a/pods/b', 'get /v1 a pods b - -'],
    ['GET', '/api/v1/namespaces/a/pods/b/log', 'get /v1 a pods b log -'],
    ['POST', '/api/v1/namespaces/a/pods/b/proxy/x/y', 'create /v1 a pods b proxy x/y'],
    ['GET', '/api/v1/namespaces', 'list /v1 - namespaces - - -'],
    ['GET', '/api/v1/namespaces/a', 'get /v1 a namespaces a - -'],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update /v1 a namespaces a finalize -'],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/b/scale', 'patch apps/v1 a deployments b scale -'],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection apps/v1 a deployments - - -'],
    ['DELETE', '/api/v1/nodes/a%3Ab', 'delete /v1 - nodes a:b - -'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name=x', 'list /v1 - pods x - -'],
    ['POST', '/api/v1/namespaces/a/pods', 'create /v1 a pods - - -'],
    ['GET', '/api', 'path get /api'],
    ['GET', '/api/v1', 'path get /api/v1'],
    ['GET', '/apis/apps/v1', 'path get /apis/apps/v1'],
    ['GET', '/apis/apps/v1/', 'path get /apis/apps/v1/'],
    ['GET', '/version', 'path get /version'],
    ['GET', '/', 'path get /'],
  ];
  for (const [method, url, want] of rows) test(`${method} ${url}`, () => assert.equal(parsed(method, url), want));

  test('tells collections from single objects, whatever a selector names', () => {
    const info = parseRequest('GET', '/api/v1/pods', new URLSearchParams('fieldSelector=metadata.name=x'));
    assert.ok(info.type === 'resource' && isCollection(info));
  });

  test('any path is parsed or refused as a bad request', () => {
    check(
      property(webPath(), webQueryParameters(), (path, search) => {
        try {
          parseRequest('GET', path, new URLSearchParams(search));
        } catch (error) {
          assert.ok(error instanceof ApiError && error.code === 400);
        }
      }),
    );
    assert.throws(() => parseRequest('GET', '/api/v1/nodes/%ff', new URLSearchParams()), /bad percent-encoding/);
  });
});
