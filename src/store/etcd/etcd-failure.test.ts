import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reasonOf } from '#base/errors.ts';

import { isCompacted, isFuture, ofEtcd } from './etcd-failure.ts';
import { checkTrailers, RpcFailure } from './rpc-failure.ts';

const cases = [
  ['8', 'etcdserver: mvcc: database space exceeded', 'DiskFull'],
  ['3', 'etcdserver: request is too large', 'TooLarge'],
  ['14', 'etcdserver: no leader', 'Unavailable'],
  ['14', 'etcdserver: leader changed', 'Timeout'],
  ['14', 'etcdserver: request timed out', 'Timeout'],
  ['4', 'context deadline exceeded', 'Timeout'],
  ['16', 'etcdserver: invalid auth token', 'Forbidden'],
  ['7', 'etcdserver: permission denied', 'Forbidden'],
  ['2', 'etcdserver: something%20new', 'Unavailable'],
] as const;

for (const [code, text, wanted] of cases) {
  test(`"${text}" is ${wanted}`, () => {
    const failure = failureOf({ 'grpc-status': code, 'grpc-message': text });
    assert.equal(reasonOf(ofEtcd(failure, 'write "/a"')), wanted);
  });
}

test('a call without a status was cut off, and may be done', () => {
  const failure = failureOf({});
  assert.equal(failure.mayBeDone, true);
  assert.equal(reasonOf(ofEtcd(failure, 'write "/a"')), 'Timeout');
});

test('revisions that are gone or still to come are told apart by the text', () => {
  const gone = failureOf({
    'grpc-status': '11',
    'grpc-message': 'etcdserver: mvcc: required revision has been compacted',
  });
  const later = failureOf({
    'grpc-status': '11',
    'grpc-message': 'etcdserver: mvcc: required revision is a future revision',
  });
  assert.deepEqual(
    [isCompacted(gone), isFuture(gone), isCompacted(later), isFuture(later)],
    [true, false, false, true],
  );
  assert.equal(isCompacted(new Error('required revision has been compacted')), false);
});

test('a status of 0 is no failure, and other errors stay what they are', () => {
  checkTrailers({ 'grpc-status': '0' });
  const error = new Error('ours');
  assert.equal(ofEtcd(error, 'read'), error);
});

function failureOf(trailers: Readonly<Record<string, string>>): RpcFailure {
  try {
    checkTrailers(trailers);
  } catch (error) {
    if (error instanceof RpcFailure) return error;
  }
  throw new Error('it did not fail');
}
