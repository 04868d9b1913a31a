import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';

import { collectHeaders } from './collect-headers.ts';

test('the status is found in trailers, and in the headers of a reply without messages', () => {
  const withTrailers = new EventEmitter();
  const ending = collectHeaders<Record<string, string>>(withTrailers);
  withTrailers.emit('response', { ':status': '200' });
  assert.equal(ending()['grpc-status'], undefined);
  withTrailers.emit('trailers', { 'grpc-status': '0' });
  assert.deepEqual(ending(), { ':status': '200', 'grpc-status': '0' });
  const alone = new EventEmitter();
  const end = collectHeaders<Record<string, string>>(alone);
  alone.emit('response', { ':status': '200', 'grpc-status': '5' });
  assert.equal(end()['grpc-status'], '5');
});
