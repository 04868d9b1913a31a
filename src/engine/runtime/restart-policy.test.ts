import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RestartPolicy } from './container.ts';
import { type ExitFacts, restartDelayMs, startsWithDaemon } from './restart-policy.ts';

const policy = (name: RestartPolicy['name'], maximumRetryCount = 0): RestartPolicy => ({ name, maximumRetryCount });
const exit: ExitFacts = {
  policy: policy('always'),
  exitCode: 1,
  manuallyStopped: false,
  restartCount: 0,
  ranMs: 5,
  lastDelayMs: 0,
};

test('pauses double up to a minute, and begin anew after a run of ten seconds', () => {
  const delays: number[] = [];
  for (let lastDelayMs = 0; delays.length < 12;) {
    lastDelayMs = restartDelayMs({ ...exit, lastDelayMs }) ?? -1;
    delays.push(lastDelayMs);
  }
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  assert.equal(restartDelayMs({ ...exit, lastDelayMs: 60_000, ranMs: 10_000 }), 100);
  assert.equal(restartDelayMs({ ...exit, lastDelayMs: 60_000, ranMs: 9999 }), 60_000);
});

test('policies decide as they say', () => {
  const restarts = (change: Partial<ExitFacts>): boolean => restartDelayMs({ ...exit, ...change }) !== undefined;
  assert.equal(restarts({ policy: policy('no') }), false);
  assert.equal(restarts({ exitCode: 0 }), true);
  assert.equal(restarts({ policy: policy('unless-stopped'), exitCode: 0 }), true);
  assert.equal(restarts({ policy: policy('on-failure'), exitCode: 0 }), false);
  assert.equal(restarts({ policy: policy('on-failure'), restartCount: 1000 }), true);
  assert.equal(restarts({ policy: policy('on-failure', 3), restartCount: 2 }), true);
  assert.equal(restarts({ policy: policy('on-failure', 3), restartCount: 3 }), false);
  for (const name of ['always', 'unless-stopped', 'on-failure'] as const)
    assert.equal(restarts({ policy: policy(name), manuallyStopped: true }), false, name);
});

test('with the daemon starts what was not stopped, and what is to run always', () => {
  const starts = (name: RestartPolicy['name'], manuallyStopped: boolean): boolean =>
    startsWithDaemon({ policy: policy(name), exitCode: 137, manuallyStopped, restartCount: 0 });
  assert.deepEqual([starts('no', false), starts('always', false), starts('always', true)], [false, true, true]);
  assert.deepEqual([starts('unless-stopped', false), starts('unless-stopped', true)], [true, false]);
  assert.deepEqual([starts('on-failure', false), starts('on-failure', true)], [true, false]);
});
