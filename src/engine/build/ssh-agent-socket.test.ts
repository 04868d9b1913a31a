import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';

import { openAgentSocket } from './ssh-agent-socket.ts';

const never = new AbortController().signal;
const { getuid = () => 0, getgid = () => 0 } = process;
const owner = { mode: 0o600, uid: getuid(), gid: getgid() };

function makeFolder(t: TestContext): string {
  const top = mkdtempSync(join(tmpdir(), 'slipway-ssh-'));
  t.after(() => rmSync(top, { recursive: true }));
  const deep = join(top, 'a-long-name-of-a-folder-'.repeat(5));
  mkdirSync(deep);
  return deep;
}

/** By a path short enough for connect(2). */
function dial(path: string): Socket {
  return connect({ path: join('/proc/self/cwd', path.slice(process.cwd().length)), allowHalfOpen: true });
}

test('carries bytes both ways until both ends are done, at a path of whatever length', async (t) => {
  const folder = makeFolder(t);
  await using stack = new AsyncDisposableStack();
  const answer = Duplex.from(async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) yield chunk.toString().toUpperCase();
    yield '.';
  });
  const path = await openAgentSocket(folder, { connect: async () => Promise.resolve(answer), ...owner }, stack, never);
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(before));
  const socket = dial(path);
  socket.end('hello');
  assert.equal(await text(socket), 'HELLO.');
  await stack.disposeAsync();
  assert.deepEqual(readdirSync(folder), []);
});

test('an agent that cannot be reached closes the connection, and so does the end of the step', async (t) => {
  const folder = makeFolder(t);
  await using stack = new AsyncDisposableStack();
  const asked = Promise.withResolvers<void>();
  let attempts = 0;
  const reach = async (signal: AbortSignal): Promise<Duplex> => {
    attempts += 1;
    if (attempts === 1) throw new Error('the client is gone');
    asked.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  };
  const path = await openAgentSocket(folder, { connect: reach, ...owner }, stack, never);
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(before));
  const refused = dial(path).resume();
  await once(refused, 'end');
  const open = dial(path).resume();
  await asked.promise;
  const closed = once(open, 'end');
  await stack.disposeAsync();
  await closed;
});
