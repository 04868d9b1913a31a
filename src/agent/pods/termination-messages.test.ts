import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { ContainerRun } from '../lifecycle/pod-now.ts';
import { TerminationMessages } from './termination-messages.ts';

const signal = new AbortController().signal;
const run: ContainerRun = {
  id: 'c',
  name: 'main',
  attempt: 1,
  state: 'exited',
  startedAt: '',
  finishedAt: '',
  exitCode: 3,
  oomKilled: false,
  imageId: '',
};
const containers = {
  logs: async function* () {
    yield [{ stream: 'stdout' as const, timeNs: 0n, bytes: Buffer.from('x'.repeat(3000)) }];
    yield [{ stream: 'stderr' as const, timeNs: 0n, bytes: Buffer.from('end') }];
  },
};

test('a message is the first 4096 bytes of its file, or the end of the log where that is wanted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'messages-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const messages = new TerminationMessages(folder);
  const container = { name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' };
  const [mount] = messages.mount('u', container, 1);
  assert.equal(mount?.target, '/dev/termination-log');
  assert.equal(statSync(mount.source).mode & 0o777, 0o666);
  const of = async (exitCode: number, policy = container): Promise<string> =>
    messages.of('u', policy, { ...run, exitCode }, containers, signal);
  assert.equal(await of(0), '');
  assert.equal(await of(3), `${'x'.repeat(2045)}end`);
  assert.equal(await of(3, { ...container, terminationMessagePolicy: 'File' }), '');
  writeFileSync(mount.source, 'm'.repeat(5000));
  assert.equal(await of(3), 'm'.repeat(4096));
  assert.deepEqual(messages.list(), ['u']);
  messages.forgetRun('u', run);
  assert.equal(existsSync(mount.source), false);
  messages.forget('u');
  assert.deepEqual(messages.list(), []);
});
