import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';

import type { LogQuery, LogRecord } from '#engine/logs/container-log.ts';
import type { Attachment } from '#engine/runtime/containers.ts';
import { eventually } from '../../kit/eventually.ts';
import { collect, execSpec, never, World } from './world.ts';

let world: World;

before(async () => {
  world = await World.open();
});
after(async () => world?.[Symbol.asyncDispose]());

const interactive = { openStdin: true, stdinOnce: true } as const;

async function log(id: string, query: Partial<LogQuery> = {}): Promise<string> {
  const records = world.containers.logs(id, { stdout: true, stderr: true, follow: false, ...query }, never);
  const parts: Uint8Array[] = [];
  for await (const piece of records) parts.push(...piece.map(({ bytes }) => bytes));
  return Buffer.concat(parts).toString();
}

async function* eachOf(pieces: AsyncIterable<readonly LogRecord[]>): AsyncGenerator<LogRecord, void, undefined> {
  for await (const piece of pieces) yield* piece;
}

/** Reads until the text was seen; the attachment stays open. */
async function expect(attachment: Attachment, text: string): Promise<string> {
  let seen = '';
  const iterator = attachment.output[Symbol.asyncIterator]();
  while (!seen.includes(text)) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`the output ended with ${JSON.stringify(seen)}`);
    seen += Buffer.from(next.value.bytes).toString();
  }
  return seen;
}

test('whoever attached before the start gets all output, however short the program', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { stdout, stderr, exitCode } = await world.output(`echo ${String(round)}; echo e >&2; exit ${String(round)}`);
    assert.deepEqual([stdout, stderr, exitCode], [`${String(round)}\n`, 'e\n', round]);
  }
});

test('input goes in, its end ends the program, output comes until the last byte', async () => {
  const { id } = await world.create(['md5sum'], interactive);
  await using attachment = await world.containers.attach(id, { stdin: true }, never);
  const output = collect(attachment);
  const bytes = Buffer.alloc(3_000_001, 'slipway ');
  const feeding = (async () => {
    await attachment.write(bytes.subarray(0, 1));
    await attachment.write(bytes.subarray(1));
    attachment.closeStdin();
  })();
  await world.containers.start(id, never);
  await feeding;
  const digest = createHash('md5').update(bytes).digest('hex');
  assert.equal((await output).stdout, `${digest}  -\n`);
  assert.equal((await world.containers.wait(id, 'not-running', never)).exitCode, 0);
  await world.remove(id);
});

test('a hundred megabytes come through, and a reader that waits holds the program back', async () => {
  const megabytes = 100;
  const { id } = await world.create(`dd if=/dev/zero bs=1M count=${String(megabytes)} 2>/dev/null; echo done >&2`, {
    log: { driver: 'none', options: {} },
  });
  await using attachment = await world.containers.attach(id, { stdin: false }, never);
  await world.containers.start(id, never);
  const iterator = attachment.output[Symbol.asyncIterator]();
  const first = await iterator.next();
  // Nobody reads: the program cannot end, and what waits here stays small.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(world.containers.get(id).state.status, 'running');
  const before = process.memoryUsage().rss;
  let received = first.done === true ? 0 : first.value.bytes.length;
  let errors = '';
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    if (next.value.stream === 'stdout') received += next.value.bytes.length;
    else errors += Buffer.from(next.value.bytes).toString();
  }
  assert.equal(received, megabytes * 1024 * 1024);
  assert.equal(errors, 'done\n');
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024, 'memory grew with the output');
  await world.containers.wait(id, 'not-running', never);
  await assert.rejects(log(id), { reason: 'NotSupported' });
  await world.remove(id);
});

test('several are attached, come and go, and the last one does not end it', async () => {
  const { id } = await world.run('while read line; do echo "<$line>"; done; echo over', { openStdin: true });
  await using one = await world.containers.attach(id, { stdin: true }, never);
  await using two = await world.containers.attach(id, { stdin: false }, never);
  await one.write(Buffer.from('a\n'));
  assert.equal(await expect(one, '<a>'), '<a>\n');
  assert.equal(await expect(two, '<a>'), '<a>\n');
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await using three = await world.containers.attach(id, { stdin: true }, never);
  three.closeStdin();
  await using four = await world.containers.attach(id, { stdin: true }, never);
  await four.write(Buffer.from('b\n'));
  assert.equal(await expect(four, '<b>'), '<b>\n');
  assert.equal(await log(id), '<a>\n<b>\n');
  await world.remove(id);
});

test('one input for all: its end is the end, though others still read', async () => {
  const { id } = await world.create(['cat'], interactive);
  await using reader = await world.containers.attach(id, { stdin: false }, never);
  const output = collect(reader);
  const writer = await world.containers.attach(id, { stdin: true }, never);
  await world.containers.start(id, never);
  await writer.write(Buffer.from('last words'));
  await writer[Symbol.asyncDispose]();
  assert.equal((await output).stdout, 'last words');
  await world.remove(id);
});

test('a terminal has a size and one stream, and another client can come', async () => {
  const { id } = await world.run('while read c; do eval "$c"; done', { tty: true, openStdin: true, stdinOnce: true });
  const first = await world.containers.attach(id, { stdin: true }, never);
  await world.containers.resize(id, 33, 101);
  await eventually('the terminal has the size', async () => {
    await first.write(Buffer.from('stty size\n'));
    return (await expect(first, '\n')) !== '' && (await log(id)).includes('33 101');
  });
  await first[Symbol.asyncDispose]();
  await using second = await world.containers.attach(id, { stdin: true }, never);
  await second.write(Buffer.from('echo "<"tty">" >&2\n'));
  assert.match(await expect(second, '<tty>'), /<tty>/);
  await world.containers.resize(id, 100_000, 1).catch((error: unknown) => {
    assert.equal((error as { reason: string }).reason, 'InvalidArgument');
  });
  await world.remove(id);
});

test('logs are by stream, by number, and follow to the end', async () => {
  const { id } = await world.run('echo one; echo error >&2; echo two; printf three');
  await world.containers.wait(id, 'not-running', never);
  assert.equal(await log(id, { stderr: false }), 'one\ntwo\nthree');
  assert.equal(await log(id, { stdout: false }), 'error\n');
  assert.equal(await log(id, { stderr: false, tail: 2 }), 'two\nthree');
  await world.containers.start(id, never);
  assert.equal(await log(id, { stderr: false, follow: true }), 'one\ntwo\nthreeone\ntwo\nthree');
  await world.remove(id);
});

test('a long log is rotated, stays bounded, and a follower sees every line', async () => {
  const [batches, lines] = [24, 1000];
  const script = `while read n; do i=0; while [ $i -lt ${String(lines)} ]; do echo "line $n $i"; i=$((i+1)); done; done`;
  const options = { 'max-size': '100k', 'max-file': '3' };
  const { id } = await world.run(script, { openStdin: true, log: { driver: 'local', options } });
  await using attachment = await world.containers.attach(id, { stdin: true }, never);
  const output = collect(attachment);
  const query = { stdout: true, stderr: true, follow: true };
  const followed = eachOf(world.containers.logs(id, query, never));
  for (let batch = 0; batch < batches; batch += 1) {
    await attachment.write(Buffer.from(`${String(batch)}\n`));
    for (let line = 0; line < lines; line += 1) {
      const { value } = (await followed.next()) as { value: LogRecord };
      assert.equal(Buffer.from(value.bytes).toString(), `line ${String(batch)} ${String(line)}\n`);
    }
  }
  const kept = (await log(id)).trimEnd().split('\n');
  assert.equal(kept.at(-1), `line ${String(batches - 1)} ${String(lines - 1)}`);
  assert.ok(kept.length > lines && kept.length < (batches / 2) * lines, `${String(kept.length)} lines are kept`);
  await followed.return(undefined);
  await world.remove(id);
  assert.equal((await output).stdout.split('\n').length, batches * lines + 1);
});

test('programs run beside it: streams, codes, user, folder, environment, terminal', async () => {
  const { id } = await world.run(['sleep', '3600'], { env: ['PATH=/bin', 'OWN=1'], user: '65534' });
  const outcome = await world.exec(id, 'echo out; echo err >&2; exit 7');
  assert.deepEqual(outcome, { stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
  assert.equal(
    (await world.exec(id, 'id -u; pwd; echo $OWN $MORE', { user: '0', cwd: '/tmp', env: ['MORE=2'] })).stdout,
    '0\n/tmp\n1 2\n',
  );
  assert.equal((await world.exec(id, 'id -u')).stdout, '65534\n');
  assert.match((await world.exec(id, 'tty; echo $TERM', { tty: true })).stdout, /^\/dev\/pts\/\d+\r\nxterm\r\n$/);
  const missing = await world.exec(id, ['no-such-program']);
  assert.equal(missing.exitCode, 127);
  assert.match(missing.stdout, /exec: "no-such-program": executable file not found in \$PATH: unknown\r\n$/);
  assert.equal((await world.exec(id, ['/etc/passwd'])).exitCode, 126);
  assert.match((await world.exec(id, 'true', { cwd: '/nowhere' })).stdout, /no such file or directory/);
  await world.remove(id);
});

test('input of an exec goes in and ends it', async () => {
  const { id } = await world.run(['sleep', '3600']);
  const exec = world.containers.createExec(id, execSpec(['md5sum'], { attachStdin: true }));
  await using attachment = await world.containers.startExec(exec.id, { detach: false }, never);
  const output = collect(attachment);
  const bytes = Buffer.alloc(1_000_000, 'x');
  await attachment.write(bytes);
  attachment.closeStdin();
  assert.equal((await output).stdout, `${createHash('md5').update(bytes).digest('hex')}  -\n`);
  await assert.rejects(world.containers.startExec(exec.id, { detach: false }, never), { reason: 'Conflict' });
  await world.remove(id);
});

test('a detached exec runs without a reader, and the end of the container is its end', async () => {
  const { id } = await world.run(['sleep', '3600']);
  const noisy = world.containers.createExec(id, execSpec('dd if=/dev/zero bs=1M count=5; exit 4'));
  await world.containers.startExec(noisy.id, { detach: true }, never);
  assert.equal(await world.execCode(noisy.id), 4);
  const failing = world.containers.createExec(id, execSpec(['nope']));
  await assert.rejects(world.containers.startExec(failing.id, { detach: true }, never), /executable file not found/);
  const long = world.containers.createExec(id, execSpec(['sleep', '3600']));
  await world.containers.startExec(long.id, { detach: true }, never);
  assert.ok(world.containers.exec(long.id).running && world.containers.exec(long.id).pid > 0);
  assert.deepEqual(world.containers.get(id).execIds, [long.id]);
  await world.containers.stop(id, { timeoutSeconds: 0 }, never);
  assert.equal(world.containers.exec(long.id).running, false);
  await world.remove(id);
  assert.throws(() => world.containers.exec(long.id), { reason: 'NotFound' });
});
