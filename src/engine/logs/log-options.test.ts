import assert from 'node:assert/strict';
import { test } from 'node:test';

import { defaultLogLimits, parseLogOptions } from './log-options.ts';

test('logs are bounded, with and without a word', () => {
  assert.deepEqual(parseLogOptions('json-file', {}), defaultLogLimits);
  assert.deepEqual(parseLogOptions('json-file', { 'max-size': '10m', 'max-file': '3' }), {
    maxFiles: 3,
    maxSizeBytes: 10_000_000,
  });
  assert.equal(parseLogOptions('local', { 'max-size': '1.5K' }).maxSizeBytes, 4096);
  assert.equal(parseLogOptions('local', { 'max-size': '2g', mode: 'blocking', compress: 'false' }).maxSizeBytes, 2e9);
});

test('wrong and unsupported options are refused', () => {
  const wrong: readonly [Record<string, string>, string][] = [
    [{ 'max-size': '-1' }, 'InvalidArgument'],
    [{ 'max-size': 'ten' }, 'InvalidArgument'],
    [{ 'max-file': '0' }, 'InvalidArgument'],
    [{ 'max-file': '1.5' }, 'InvalidArgument'],
    [{ nonsense: '1' }, 'InvalidArgument'],
    [{ compress: 'true' }, 'NotSupported'],
    [{ mode: 'non-blocking' }, 'NotSupported'],
    [{ tag: 'x' }, 'NotSupported'],
  ];
  for (const [options, reason] of wrong) assert.throws(() => parseLogOptions('json-file', options), { reason });
  assert.throws(() => parseLogOptions('none', { 'max-size': '1m' }), { reason: 'InvalidArgument' });
});
