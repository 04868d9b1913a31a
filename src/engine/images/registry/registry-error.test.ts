import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { parseErrorBody, RegistryRefusal } from './registry-error.ts';

test('error bodies are read in the forms that registries and token servers use', () => {
  const rows: readonly (readonly [body: string, code: string, message: string])[] = [
    [
      '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}',
      'manifest unknown',
      'manifest unknown',
    ],
    ['{"errors":[]}', '', ''],
    ['{"details":"incorrect username or password"}', '', 'incorrect username or password'],
    ['{"error":"invalid_grant","error_description":"the token ran out"}', '', 'the token ran out'],
    ['<html>502</html>', '', ''],
    ['', '', ''],
  ];
  for (const [body, code, message] of rows) assert.deepEqual(parseErrorBody(Buffer.from(body)), { code, message });
});

test('a refusal says who answered what to which request, with the reason of its status', () => {
  const refusal = {
    status: 404,
    host: 'h.example',
    path: '/v2/a/blobs/x',
    method: 'GET',
    code: 'blob unknown',
    message: '',
  };
  const rows = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    418: 'Damaged',
    429: 'Unavailable',
    500: 'Unavailable',
  };
  for (const [status, reason] of Object.entries(rows)) {
    const error = new RegistryRefusal({ ...refusal, status: Number(status) }).toStatusError();
    assert.equal(error.reason, reason);
    assert.ok(error.message.startsWith(`registry h.example answered ${status} to GET /v2/a/blobs/x (blob unknown)`));
  }
});

test('whatever a registry says, its words are short and plain', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const body = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.record({ errors: fc.array(fc.record({ code: text, message: text })) }).map((value) => JSON.stringify(value)),
    fc.constant(`{"details":${JSON.stringify('x\n'.repeat(5000))}}`),
    text,
  );
  fc.assert(
    fc.property(body, (value) => {
      const { code, message } = parseErrorBody(Buffer.from(value));
      for (const said of [code, message]) {
        assert.ok(said.length <= 500);
        assert.doesNotMatch(said, /\p{Cc}/u);
      }
    }),
    { numRuns: 200 },
  );
});
