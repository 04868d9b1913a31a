import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { collect, execSpec, never, World } from './world.ts';

let world: World;

before(async () => {
  world = await World.open();
});
after(async () => world?.[Symbol.asyncDispose]());

const sleeper = 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
const rounds = 4;

test('containers run on while nobody looks, and are taken over again', async () => {
  const spec = { openStdin: true };
  const { id } = await world.run('while read l; do echo "<$l>"; done; exit 6', spec, 'survivor');
  const quick = await world.create('read x; exit 7', spec);
  await world.containers.start(quick.id, never);
  const { pid } = world.containers.get(id).state;
  const exec = world.containers.createExec(id, execSpec('trap "exit 8" TERM; while :; do sleep 0.05; done'));
  await world.containers.startExec(exec.id, { detach: true }, never);
  await world.close();
  await eventually('it runs without the engine', () => readFileSync(`/proc/${String(pid)}/comm`, 'utf8') === 'sh\n');
  await world.reopen();
  const found = world.containers.get('survivor');
  assert.deepEqual([found.id, found.state.status, found.state.pid], [id, 'running', pid]);
  const known = world.containers.exec(exec.id);
  assert.ok(known.running && known.pid > 0);
  await eventually('its trap is set', () => catches(known.pid, constants.signals.SIGTERM));
  process.kill(known.pid, 'SIGTERM');
  assert.equal(await world.execCode(exec.id), 8);
  const exit = world.containers.wait(id, 'not-running', never);
  await using attachment = await world.containers.attach(id, { stdin: true }, never);
  const output = collect(attachment);
  await attachment.write(Buffer.from('hello\n'));
  await eventually('it answers', async () => {
    const records = await Array.fromAsync(
      world.containers.logs(id, { stdout: true, stderr: true, follow: false }, never),
    );
    return records.length > 0;
  });
  await world.containers.stop(id, { timeoutSeconds: 0 }, never);
  assert.equal((await output).stdout, '<hello>\n');
  assert.equal((await exit).exitCode, 137);
  await world.remove(id, quick.id);
});

test('what ended meanwhile is found with its code and time; what wants to runs again', async () => {
  const { id } = await world.run(sleeper, {}, 'ended');
  const again = await world.run(sleeper, { restart: { name: 'unless-stopped', maximumRetryCount: 0 } });
  const gone = await world.run(sleeper, { autoRemove: true });
  const stopped = await world.run(sleeper, { restart: { name: 'unless-stopped', maximumRetryCount: 0 } });
  await world.containers.stop(stopped.id, { timeoutSeconds: 60 }, never);
  await eventually('all are ready', async () => {
    const logs = [id, again.id, gone.id].map((one) =>
      Array.fromAsync(world.containers.logs(one, { stdout: true, stderr: true, follow: false }, never)),
    );
    return (await Promise.all(logs)).every((records) => records.length > 0);
  });
  const pids = [id, again.id, gone.id].map((one) => world.containers.get(one).state.pid);
  await world.close();
  for (const pid of pids) process.kill(pid, 'SIGTERM');
  const exits = join(world.place.folder, 'run', 'exits');
  await eventually('all have ended', () => [id, again.id, gone.id].every((one) => exists(join(exits, one))));
  await world.reopen();
  const { state } = world.containers.get('ended');
  assert.deepEqual([state.status, state.exitCode], ['exited', 5]);
  assert.ok(Date.parse(state.finishedAt) >= Date.parse(state.startedAt));
  assert.equal(world.containers.find(gone.id), undefined);
  await eventually('it runs again', () => world.containers.get(again.id).state.status === 'running');
  assert.equal(world.containers.get(stopped.id).state.status, 'exited');
  const bye = await Array.fromAsync(world.containers.logs(id, { stdout: true, stderr: true, follow: true }, never));
  assert.equal(Buffer.from(bye.flat().at(-1)?.bytes ?? []).toString(), 'bye\n');
  await world.remove(id, again.id, stopped.id);
});

test('after a reboot nothing runs, and nobody knows how it ended', async () => {
  const { id } = await world.run(['sleep', '3600'], {}, 'rebooted');
  const { pid } = world.containers.get(id).state;
  const path = join(world.place.folder, 'data', 'containers', 'records', `${id}.json`);
  await world.close();
  process.kill(pid, 'SIGKILL');
  await eventually('it has ended', () => exists(join(world.place.folder, 'run', 'exits', id)));
  // A reboot changes the boot ID and empties the run folder.
  const text = readFileSync(path, 'utf8');
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  writeFileSync(path, text.replaceAll(bootId, '00000000-0000-4000-8000-000000000000'));
  rmSync(join(world.place.folder, 'run', 'exits', id));
  rmSync(join(world.place.folder, 'run', 'c', id), { recursive: true });
  await world.reopen();
  const { state } = world.containers.get('rebooted');
  assert.deepEqual([state.status, state.exitCode, state.pid], ['exited', 255, 0]);
  await world.containers.start(id, never);
  await world.stop(id);
  await world.remove(id);
});

test('a conmon that is killed takes its container with it', async () => {
  const { id } = await world.run(['sleep', '3600']);
  const path = join(world.place.folder, 'data', 'containers', 'records', `${id}.json`);
  const record = JSON.parse(readFileSync(path, 'utf8')) as { run: { holder: { pid: number } } };
  process.kill(record.run.holder.pid, 'SIGKILL');
  await eventually('it is noticed', () => world.containers.get(id).state.status === 'exited');
  assert.equal(world.containers.get(id).state.exitCode, 255);
  await world.containers.start(id, never);
  await world.remove(id);
});

test('a damaged record is moved aside and stops nobody', async () => {
  const one = await world.create('true', {}, 'damaged');
  const other = await world.create('true', {}, 'sound');
  const path = join(world.place.folder, 'data', 'containers', 'records', `${one.id}.json`);
  await world.close();
  writeFileSync(path, '{"version":1,');
  await world.reopen();
  assert.equal(world.containers.find('damaged'), undefined);
  assert.equal(world.containers.get('sound').id, other.id);
  assert.ok(exists(`${path}.damaged`));
  assert.ok(world.log.some((line) => line.includes('damaged') && line.includes(path)));
  assert.ok(!world.engine.snapshots.writables().includes(one.id));
  rmSync(`${path}.damaged`);
  await world.remove(other.id);
});

test('kill -9 at any moment: what was acknowledged holds, what was half made is gone', async () => {
  const imageId = world.spec('true').imageId;
  for (let round = 0; round < rounds; round += 1) {
    await world.close();
    world.log.length = 0;
    const said = await liveUntilKilled(imageId, 6 + 10 * round);
    await world.reopen();
    await check(said);
    assert.deepEqual(world.log, []);
  }
});

/** Lets a child work until it has said so many things, and kills it; returns what it said. */
async function liveUntilKilled(imageId: string, lines: number): Promise<ReadonlyMap<string, readonly string[]>> {
  const { folder, instance } = world.place;
  const script = join(import.meta.dirname, 'crash-child.ts');
  const child = spawn(process.execPath, [script, folder, instance, imageId], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = new Map<string, string[]>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = '', id = ''] = line.split(' ');
    if (id.length === 64) said.set(id, [...(said.get(id) ?? []), what]);
    count += 1;
    if (count === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL', 'the child ended by itself');
  return said;
}

async function check(said: ReadonlyMap<string, readonly string[]>): Promise<void> {
  const { containers, engine } = world;
  for (const [id, what] of said) {
    const found = containers.find(id);
    if (found === undefined) {
      // Its removal was asked for: after its stop, or by itself, at the end of a run that nobody was told of yet.
      assert.ok(what.includes('leaving') || what.includes('stopped'), `${id} was ${what.join(', ')} and is lost`);
      continue;
    }
    const { status, exitCode } = found.state;
    assert.ok(!what.includes('removed'), `${id} came back as ${status}`);
    assert.ok(!found.spec.autoRemove || !what.includes('started') || status === 'running', `${id} is ${status}`);
    if (what.includes('stopped')) assert.ok(status === 'exited', `${id} is ${status}`);
    if (what.includes('stopped')) assert.ok([3, 4, 137].includes(exitCode), `${id} has ${String(exitCode)}`);
    if (what.includes('started') && !what.includes('stopped')) assert.notEqual(status, 'created');
  }
  const ids = new Set(containers.list().map(({ id }) => id));
  assert.deepEqual(
    engine.snapshots.writables().filter((id) => !ids.has(id)),
    [],
  );
  for (const { id, state } of containers.list()) {
    if (state.status !== 'running') assert.equal(engine.snapshots.isMounted(id), false);
    await containers.remove(id, { force: true, volumes: true }, never);
  }
  assert.deepEqual(engine.snapshots.writables(), []);
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process has a handler for a signal (proc_pid_status(5), SigCgt). */
function catches(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
}
