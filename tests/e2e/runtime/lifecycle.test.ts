import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { never, World } from './world.ts';

let world: World;

before(async () => {
  world = await World.open();
});
after(async () => world?.[Symbol.asyncDispose]());

const sleeper = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done';
const times = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

async function isReady(id: string): Promise<void> {
  await eventually('the program is ready', async () => {
    const records = await Array.fromAsync(
      world.containers.logs(id, { stdout: true, stderr: false, follow: false }, never),
    );
    return records.length > 0;
  });
}

test('a life from create to remove, as inspect and the events tell it', async () => {
  const created = await world.create(sleeper, { labels: { role: 'test' } }, 'a-life');
  assert.deepEqual([created.state.status, created.state.pid, created.name], ['created', 0, 'a-life']);
  assert.equal(created.spec.hostname, created.id.slice(0, 12));
  assert.equal(await world.containers.start('a-life', never), true);
  assert.equal(await world.containers.start('a-life', never), false);
  const running = world.containers.get(created.id.slice(0, 10));
  assert.equal(running.state.status, 'running');
  assert.match(running.state.startedAt, times);
  await isReady('a-life');
  assert.match(readFileSync(`/proc/${String(running.state.pid)}/comm`, 'utf8'), /^sh\n$/);
  const exit = world.containers.wait('a-life', 'not-running', never);
  assert.equal(await world.containers.stop('a-life', { timeoutSeconds: 60 }, never), true);
  assert.deepEqual(await exit, { exitCode: 5, error: '' });
  assert.equal(await world.containers.stop('a-life', {}, never), false);
  const { state } = world.containers.get('a-life');
  assert.deepEqual([state.status, state.pid, state.exitCode, state.oomKilled], ['exited', 0, 5, false]);
  assert.match(state.finishedAt, times);
  assert.equal((await world.containers.wait('a-life', 'not-running', never)).exitCode, 5);
  const removed = world.containers.wait('a-life', 'removed', never);
  await world.remove('a-life');
  assert.equal((await removed).exitCode, 5);
  assert.throws(() => world.containers.get('a-life'), { reason: 'NotFound', message: 'No such container: a-life' });
  const history = await world.history(created.id);
  assert.deepEqual(
    history.map(({ action }) => action),
    ['create', 'start', 'kill', 'die', 'stop', 'destroy'],
  );
  assert.deepEqual(history[3]?.attributes, {
    role: 'test',
    image: 'busybox:1',
    name: 'a-life',
    exitCode: '5',
    execDuration: history[3]?.attributes['execDuration'],
  });
  assert.equal(history[2]?.attributes['signal'], '15');
});

test('a program that does not hear is killed', async () => {
  const { id } = await world.run('trap "" TERM; echo ready; while :; do sleep 0.05; done');
  await isReady(id);
  await world.containers.stop(id, { timeoutSeconds: 0 }, never);
  assert.equal(world.containers.get(id).state.exitCode, 137);
  await world.remove(id);
});

test('what was told to stop stops, though the client went', async () => {
  const { id } = await world.run('trap "" TERM; echo ready; while :; do sleep 0.05; done');
  await isReady(id);
  const client = new AbortController();
  const stop = world.containers.stop(id, { timeoutSeconds: 1 }, client.signal);
  client.abort();
  await assert.rejects(stop, { name: 'AbortError' });
  await eventually('it has stopped', () => world.containers.get(id).state.status === 'exited');
  await world.remove(id);
});

test('signals reach the program, and killing what does not run is a conflict', async () => {
  const { id } = await world.run('trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done');
  await isReady(id);
  const exit = world.containers.wait(id, 'next-exit', never);
  await world.containers.kill(id, 'SIGUSR1');
  assert.equal((await exit).exitCode, 9);
  await assert.rejects(world.containers.kill(id, ''), { reason: 'Conflict', message: /is not running/ });
  await assert.rejects(world.containers.kill(id, 'NONSENSE'), { reason: 'InvalidArgument' });
  await world.remove(id);
});

test('a paused program stands still, also for signals, until it is killed', async () => {
  const { id } = await world.run(sleeper);
  await isReady(id);
  await world.containers.pause(id);
  assert.equal(world.containers.get(id).state.status, 'paused');
  await assert.rejects(world.containers.pause(id), { reason: 'Conflict' });
  await assert.rejects(world.containers.start(id, never), { reason: 'Conflict' });
  assert.throws(() => world.containers.createExec(id, { ...exec, args: ['true'] }), { reason: 'Conflict' });
  await world.containers.unpause(id);
  assert.equal(world.containers.get(id).state.status, 'running');
  await assert.rejects(world.containers.unpause(id), { reason: 'Conflict' });
  await world.containers.pause(id);
  await world.containers.kill(id, 'SIGKILL');
  assert.deepEqual(world.containers.get(id).state.exitCode, 137);
  await world.remove(id);
});

const exec = { args: [], env: [], cwd: '', user: '', tty: false, attachStdin: false, privileged: false };

test('a start that fails says why, keeps it, and leaves nothing', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['no-such-program'], 127, /exec: "no-such-program": executable file not found in \$PATH: unknown$/],
    [['/no/such/path'], 127, /no such file or directory/],
    [['/etc/passwd'], 126, /permission denied/],
    [['/etc'], 126, /(permission denied|is a directory)/],
  ];
  for (const [args, code, message] of cases) {
    const { id } = await world.create(args);
    await assert.rejects(world.containers.start(id, never), { reason: 'InvalidArgument', message });
    const { status, exitCode, error, pid } = world.containers.get(id).state;
    assert.deepEqual([status, exitCode, pid], ['created', code, 0], args.join(' '));
    assert.match(error, message);
    assert.equal(world.engine.snapshots.isMounted(id), false);
    assert.equal(world.engine.networks.sandbox(id), undefined);
    await world.remove(id);
  }
});

test('a container that removes itself is gone when that is told, and its anonymous volumes too', async () => {
  const mounts = [{ type: 'volume' as const, source: '', target: '/data', readOnly: false }];
  const { id } = await world.create('exit 3', { autoRemove: true, mounts });
  const removed = world.containers.wait(id, 'removed', never);
  const exit = world.containers.wait(id, 'next-exit', never);
  await world.containers.start(id, never);
  assert.deepEqual([(await exit).exitCode, (await removed).exitCode], [3, 3]);
  assert.equal(world.containers.find(id), undefined);
  assert.deepEqual(world.engine.volumes.list(), []);
  assert.ok(!world.engine.snapshots.writables().includes(id));
});

test('one that removes itself survives a restart, but not a start that fails', async () => {
  const { id } = await world.run(sleeper, { autoRemove: true });
  await isReady(id);
  const { pid } = world.containers.get(id).state;
  await world.containers.restart(id, { timeoutSeconds: 60 }, never);
  assert.equal(world.containers.get(id).state.status, 'running');
  assert.notEqual(world.containers.get(id).state.pid, pid);
  await world.stop(id);
  await eventually('it is removed', () => world.containers.find(id) === undefined);
  const failing = await world.create(['nope'], { autoRemove: true });
  await assert.rejects(world.containers.start(failing.id, never), { reason: 'InvalidArgument' });
  assert.equal(world.containers.find(failing.id), undefined);
});

test('names are unique, change, and lead to the container', async () => {
  const one = await world.create('true', {}, 'name-one');
  await assert.rejects(world.create('true', {}, 'name-one'), {
    reason: 'Conflict',
    message: /"\/name-one" is already/,
  });
  await assert.rejects(world.create('true', {}, '-x'), {
    reason: 'InvalidArgument',
    message: /Invalid container name/,
  });
  await world.containers.rename('name-one', 'name-two');
  assert.equal(world.containers.get('/name-two').id, one.id);
  assert.equal(world.containers.find('name-one'), undefined);
  const other = await world.create('true', {}, 'name-one');
  await assert.rejects(world.containers.rename('name-one', 'name-two'), { reason: 'Conflict' });
  const made = await world.create('true');
  assert.match(made.name, /^[a-z]+_[a-z]+\d*$/);
  const rename = (await world.history(one.id)).find(({ action }) => action === 'rename');
  assert.equal(rename?.attributes['oldName'], '/name-one');
  await world.remove(one.id, other.id, made.id);
});

test('running containers are removed by force only', async () => {
  const { id, name } = await world.run(sleeper);
  await assert.rejects(world.containers.remove(id, { force: false, volumes: false }, never), {
    reason: 'Conflict',
    message: `cannot remove container "/${name}": container is running: stop the container before removing or force remove`,
  });
  await world.remove(id);
  assert.equal(world.containers.find(id), undefined);
});

test('a failing program is started again with growing pauses, until somebody stops it', async () => {
  const { id } = await world.run('exit 1', { restart: { name: 'always', maximumRetryCount: 0 } });
  await eventually('it was started again', () => world.containers.get(id).state.restartCount >= 2);
  await world.containers.stop(id, { timeoutSeconds: 0 }, never);
  await eventually('it rests', () => world.containers.get(id).state.status === 'exited');
  const { restartCount } = world.containers.get(id).state;
  assert.equal(world.containers.get(id).state.restartCount, restartCount);
  await world.remove(id);
  const limited = await world.run('exit 1', { restart: { name: 'on-failure', maximumRetryCount: 1 } });
  await eventually('it was given up', () => {
    const { status, restartCount: count } = world.containers.get(limited.id).state;
    return status === 'exited' && count === 1;
  });
  await world.remove(limited.id);
});

test('running out of memory shows', async () => {
  const limits = { memoryBytes: 16 * 1024 * 1024, memorySwapBytes: 16 * 1024 * 1024 };
  const script = 'x=$(dd if=/dev/zero bs=1M count=64 2>/dev/null | tr "\\0" x)';
  const { id } = await world.run(script, { limits });
  await world.containers.wait(id, 'not-running', never);
  const { oomKilled } = world.containers.get(id).state;
  assert.equal(oomKilled, true);
  assert.ok((await world.history(id)).some(({ action }) => action === 'oom'));
  await world.remove(id);
});

test('limits change while it runs', async () => {
  const { id } = await world.run(sleeper, { limits: { memoryBytes: 64 * 1024 * 1024 } });
  await world.containers.update(id, { limits: { memoryBytes: 32 * 1024 * 1024, memorySwapBytes: 64 * 1024 * 1024 } });
  assert.equal(world.containers.stats(id).memory.limitBytes, 32 * 1024 * 1024);
  await assert.rejects(world.containers.update(id, { limits: { memoryBytes: 1 } }), { reason: 'InvalidArgument' });
  const top = await world.containers.top(id, '-o pid,args');
  assert.ok(top.processes.some((row) => row[1]?.includes('sh -c')));
  await world.remove(id);
});

test('many start and end at once, and none is lost', async () => {
  const count = 12;
  const ids = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { stdout, exitCode } = await world.output(`echo ${String(index)}; exit ${String(index)}`);
      return [stdout, exitCode];
    }),
  );
  assert.deepEqual(
    ids,
    Array.from({ length: count }, (_, index) => [`${String(index)}\n`, index]),
  );
  assert.deepEqual(world.containers.list(), []);
});
