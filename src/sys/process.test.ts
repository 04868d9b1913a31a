import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';

import { identify, isAlive, kill, parseStat } from './process.ts';

test('reads a process whose name holds parentheses and spaces', () => {
  const rest = ' S 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0';
  assert.deepEqual(parseStat(`12 (a) b (c)${rest}`), {
    pid: 12,
    name: 'a) b (c',
    state: 'S',
    parentPid: 7,
    startTicks: '4242',
  });
});

test('kills exactly the process that was meant', async (t) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const identity = identify(child.pid ?? 0);
  assert.ok(identity);
  assert.equal(isAlive(identity), true);
  const earlier = { ...identity, startTicks: '1' };
  assert.equal(isAlive(earlier), false);
  assert.equal(kill(earlier, 'SIGKILL'), false);
  assert.equal(kill({ ...identity, bootId: 'another' }, 'SIGKILL'), false);
  assert.equal(isAlive(identity), true);
  const exit = once(child, 'exit');
  assert.equal(kill(identity, 'SIGKILL'), true);
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  assert.equal(isAlive(identity), false);
  assert.equal(kill(identity, 'SIGKILL'), false);
});
