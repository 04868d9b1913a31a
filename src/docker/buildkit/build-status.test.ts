import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http2';
import { describe, test } from 'node:test';

import { StatusError } from '#base/errors.ts';
import { StepError } from '#engine/build/step-error.ts';
import { sourceError } from '#formats/dockerfile/source-error.ts';
import { buildStatus } from './build-status.ts';
import { checkStatus, trailersOf } from './grpc/grpc-status.ts';

const lines = Array.from({ length: 40 }, (_, index) => `LINE ${String(index + 1)}`);
const source = { name: 'Dockerfile', lines };

/** The place that a client shows. */
function placeIn(error: unknown): { info: { filename: string; data: string }; ranges: unknown } {
  const [detail] = buildStatus(error).details;
  assert.equal(detail?.typeUrl, 'github.com/moby/buildkit/errdefs.Source+json');
  return JSON.parse(Buffer.from(detail.value).toString()) as ReturnType<typeof placeIn>;
}

describe('an error for a client of BuildKit', () => {
  test('at some lines: the sentence alone, and the lines around the place', () => {
    const error = sourceError(source, { start: 20, end: 21 }, 'this is wrong');
    assert.deepEqual([buildStatus(error).code, buildStatus(error).message], [2, 'this is wrong']);
    const { info, ranges } = placeIn(error);
    assert.equal(info.filename, 'Dockerfile');
    assert.deepEqual(ranges, [{ start: { line: 20 }, end: { line: 21 } }]);
    const sent = Buffer.from(info.data, 'base64').toString().split('\n');
    assert.deepEqual([sent[0], sent[12], sent[13], sent[19], sent.length], ['', '', 'LINE 14', 'LINE 20', 27]);
  });

  test('a command that failed: in its words', () => {
    const error = new StepError(source, { start: 1, end: 1 }, ['/bin/sh', '-c', 'false "x"'], 3);
    const words = 'process "/bin/sh -c false \\"x\\"" did not complete successfully: exit code: 3';
    assert.equal(buildStatus(error).message, words);
  });

  test('others: the message; defects are told as such', () => {
    assert.deepEqual(buildStatus(new StatusError('NotSupported', 'no')), { code: 2, message: 'no', details: [] });
    assert.equal(buildStatus(new TypeError('x is undefined')).code, 13);
  });

  test('goes over the wire and comes back', () => {
    const status = { code: 2, message: 'ö\n%', details: [] };
    assert.throws(() => checkStatus(trailersOf(status) as IncomingHttpHeaders, '/m'), {
      reason: 'InvalidArgument',
      message: 'ö\n%',
    });
    assert.throws(() => checkStatus({}, '/m'), { reason: 'Unavailable' });
    assert.doesNotThrow(() => checkStatus({ 'grpc-status': '0' }, '/m'));
    const huge = { ...status, details: [{ typeUrl: 'x', value: new Uint8Array(100_000) }] };
    assert.equal(trailersOf(huge)['grpc-status-details-bin'], undefined);
  });
});
