import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signalNumber } from './signals.ts';

test('names in any spelling, numbers and real-time signals', () => {
  const known: readonly (readonly [string, number])[] = [
    ['SIGTERM', 15],
    ['term', 15],
    ['KILL', 9],
    ['9', 9],
    ['SIGUSR1', 10],
    ['64', 64],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['rtmax-1', 63],
    ['RTMAX', 64],
  ];
  for (const [text, number] of known) assert.equal(signalNumber(text), number, text);
});

test('what is no signal is refused', () => {
  for (const text of ['', '0', '65', '-9', 'SIG', 'NOPE', 'RTMIN+99', 'RTMAX+1', '9 9', 'toString'])
    assert.throws(() => signalNumber(text), { reason: 'InvalidArgument', message: `invalid signal: ${text}` }, text);
});
