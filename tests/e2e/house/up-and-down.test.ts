import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { describeLeaks, findLeaks } from '../../kit/leaks.ts';
import { makeRoot } from '../../kit/temp-root.ts';

/** A root of its own that nothing was started in. */
function emptyRoot(t: TestContext): Instance {
  const instance = new Instance(makeRoot(), {});
  t.after(async () => {
    if ('passed' in t && t.passed === false) process.stderr.write(`${instance.logTail()}\n`);
    await instance.destroy();
  });
  return instance;
}

/** Runs a verb that must succeed and returns what it printed. */
async function slipway(instance: Instance, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await instance.slipway(...args);
  assert.equal(code, 0, `slipway ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/** Whether a process runs; nobody may have waited for one that ended. */
function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${String(pid)}`) ? readFileSync(`/proc/${String(pid)}/stat`, 'utf8') : '';
  return stat !== '' && !/^\d+ \(.*\) [ZX]/.test(stat);
}

async function killDaemon(instance: Instance): Promise<void> {
  const { pid = 0 } = await instance.status();
  process.kill(pid, 'SIGKILL');
  await eventually('the daemon is gone', () => !isAlive(pid));
}

test('up starts one daemon however often and how many at once; down ends it', async (t) => {
  const instance = emptyRoot(t);
  assert.equal((await instance.slipway('status')).code, 3, 'it does not run yet');

  const texts = await Promise.all([slipway(instance, 'up'), slipway(instance, 'up')]);
  const { pid = 0 } = await instance.status();
  for (const text of texts) assert.match(text, new RegExp(`is healthy \\(process ${String(pid)}, since `));
  const again = await slipway(instance, 'up');
  assert.match(again, /All is well: it was up already\./);
  assert.equal((await instance.status()).pid, pid);

  const status = await slipway(instance, 'status');
  for (const word of ['control', 'engine', 'docker', instance.paths.dockerSocket, instance.paths.logFile])
    assert.ok(status.includes(word), `${word} in ${status}`);
  assert.equal(statSync(instance.paths.controlSocket).mode & 0o777, 0o600, 'only root may control it');
  assert.match(await instance.dockerOutput('version'), /Server:/);

  assert.match(await slipway(instance, 'down'), /^slipway is down; 0 containers stopped$/m);
  assert.equal(isAlive(pid), false);
  assert.equal((await instance.slipway('status')).code, 3);
  assert.match(await slipway(instance, 'down'), /^slipway did not run$/m);
  assert.equal(existsSync(instance.paths.controlSocket), false);
});

test('after kill -9 up starts anew, over the sockets and the lock of the dead', async (t) => {
  const instance = emptyRoot(t);
  await slipway(instance, 'up');
  const { pid = 0 } = await instance.status();
  await killDaemon(instance);
  assert.equal((await instance.slipway('status')).code, 3);
  await slipway(instance, 'up');
  assert.notEqual((await instance.status()).pid, pid);
});

test('containers stop with down, run through down --keep, and are gone after down --purge', async (t) => {
  const instance = emptyRoot(t);
  await slipway(instance, 'up');
  await instance.loadBusybox();
  await instance.dockerOutput('run', '-d', '--name', 'one', '-v', 'data:/data', 'busybox', 'sleep', '100000');
  const pidOf = async (): Promise<number> =>
    Number(await instance.dockerOutput('inspect', '-f', '{{.State.Pid}}', 'one'));
  const pid = await pidOf();

  assert.match(await slipway(instance, 'down', '--keep'), /1 container kept running/);
  assert.equal(isAlive(pid), true);
  await slipway(instance, 'up');
  assert.equal(await pidOf(), pid, 'it was taken over as it is');

  await instance.dockerOutput('rm', '-f', 'one');
  await instance.dockerOutput('run', '-d', '--name', 'one', '--stop-timeout', '1', 'busybox', 'sleep', '100000');
  const stopped = await pidOf();
  assert.match(await slipway(instance, 'down'), /1 container stopped/);
  assert.equal(isAlive(stopped), false);
  await slipway(instance, 'up');
  assert.equal(await instance.dockerOutput('ps', '-a', '--format', '{{.Names}} {{.State}}'), 'one exited');

  await instance.dockerOutput('start', 'one');
  assert.match(await slipway(instance, 'down', '--purge'), /its data is deleted/);
  assert.equal(existsSync(instance.paths.data), false);
  assert.deepEqual(describeLeaks(await findLeaks(instance.root)), []);
  await slipway(instance, 'up');
  assert.equal(await instance.dockerOutput('images', '-q'), '', 'it starts from nothing');
});

test('the next up starts what its restart policy says, as after a reboot, but not what the user stopped', async (t) => {
  const instance = emptyRoot(t);
  await slipway(instance, 'up');
  await instance.loadBusybox();
  const run = async (name: string, ...options: readonly string[]): Promise<string> =>
    instance.dockerOutput('run', '-d', '--stop-timeout', '1', '--name', name, ...options, 'busybox', 'sleep', '100000');
  await run('always', '--restart', 'always');
  await run('unless', '--restart', 'unless-stopped');
  await run('halted', '--restart', 'unless-stopped');
  await run('failing', '--restart', 'on-failure');
  await run('never');
  await instance.dockerOutput('stop', 'halted');
  assert.match(await slipway(instance, 'down'), /4 containers stopped/);
  await slipway(instance, 'up');
  await eventually('those with a policy run', async () => {
    const running = await instance.dockerOutput('ps', '--format', '{{.Names}}');
    return running.split('\n').toSorted().join(' ') === 'always failing unless';
  });
  const states = await instance.dockerOutput('ps', '-a', '--filter', 'status=exited', '--format', '{{.Names}}');
  assert.deepEqual(states.split('\n').toSorted(), ['halted', 'never']);
});

test('purge works also when the daemon was killed and containers run on', async (t) => {
  const instance = emptyRoot(t);
  await slipway(instance, 'up');
  await instance.loadBusybox();
  await instance.dockerOutput('run', '-d', 'busybox', 'sleep', '100000');
  await killDaemon(instance);
  assert.match(await slipway(instance, 'down', '--purge'), /slipway did not run; its data is deleted/);
  assert.deepEqual(describeLeaks(await findLeaks(instance.root)), []);
});

test('up says why the daemon does not start, and leaves nothing running', async (t) => {
  const instance = emptyRoot(t);
  const long = join(instance.root, 'x'.repeat(120), 'docker.sock');
  const { code, stderr } = await instance.slipway('up', '--set', `docker.socket=${long}`);
  assert.equal(code, 7);
  assert.match(stderr, /^slipway: Cannot start slipway: the daemon ended with code 2\n/);
  assert.match(stderr, /socket's path has at most 107 bytes/);
  assert.equal((await instance.slipway('status')).code, 3);
  await slipway(instance, 'up');
});

test('a wrong setting is told with its line before anything starts', async (t) => {
  const instance = emptyRoot(t);
  const { configFile, logFile } = instance.paths;
  mkdirSync(dirname(configFile), { recursive: true });
  writeFileSync(configFile, 'log:\n  level: debug\nengine:\n  runc: /usr/sbin/runc\n');
  const { code, stderr } = await instance.slipway('up');
  assert.equal(code, 2);
  assert.ok(stderr.includes(`${configFile}:4: unknown key "engine.runc"`), stderr);
  assert.equal(existsSync(logFile), false);

  writeFileSync(configFile, 'log:\n  level: debug\n');
  const explained = await slipway(instance, 'config', 'explain', '--set', 'engine.insecureRegistries=a.example');
  assert.match(explained, /^log\.level +file +\S+slipway\.yaml:2 +"debug"$/m);
  assert.match(explained, /^engine\.insecureRegistries +flag .* +\["a\.example"\]$/m);
});

test('the log is JSON lines that logs prints and follows', async (t) => {
  const instance = emptyRoot(t);
  assert.equal((await instance.slipway('logs')).code, 4, 'there is none yet');
  await slipway(instance, 'up');
  const lines = (await slipway(instance, 'logs')).trimEnd().split('\n');
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  assert.ok(messages.includes('starting') && messages.includes('healthy'), messages.join(', '));
  assert.equal((await slipway(instance, 'logs', '-n', '1')).trimEnd().split('\n').length, 1);
});

test('the doctor finds this machine fit', async (t) => {
  const instance = emptyRoot(t);
  const { code, stdout } = await instance.slipway('doctor', '--json');
  const findings = JSON.parse(stdout) as { name: string; state: string; text: string }[];
  assert.deepEqual(
    findings.filter(({ state }) => state === 'fail'),
    [],
  );
  assert.equal(code, 0);
  assert.ok(findings.length >= 10);
});
