import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command, commandOutput } from './command.ts';
import { eventually } from './eventually.ts';

test('a command gives what it printed and how it ended', async () => {
  const result = await command('sh', ['-c', 'cat; echo err >&2; exit 7'], { stdin: 'in\n' });
  assert.deepEqual(result, { code: 7, stdout: 'in\n', stderr: 'err\n' });
  assert.equal((await command('sh', ['-c', 'kill -SEGV $$'])).code, 139);
  await assert.rejects(command('/no/such/program', []), /\/no\/such\/program/);
});

test('a command may leave its input unread, and takes a stream', async () => {
  async function* many(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 100; count += 1) yield Buffer.alloc(10_000, 0x61);
  }
  assert.equal((await command('true', [], { stdin: many() })).code, 0);
  assert.equal(await commandOutput('sh', ['-c', 'wc -c | tr -d " "'], { stdin: many() }), '1000000');
  await assert.rejects(commandOutput('sh', ['-c', 'echo why >&2; false']), /ended with 1\nwhy/);
});

test('a condition is waited for, and what it threw last is told', async () => {
  let looks = 0;
  assert.equal(await eventually('three', () => (looks += 1) === 3 && 'found'), 'found');
  await assert.rejects(
    eventually(
      'never',
      () => {
        throw new Error('still not');
      },
      1,
    ),
    (error) =>
      error instanceof Error && /in vain: never/.test(error.message) && (error.cause as Error).message === 'still not',
  );
});
