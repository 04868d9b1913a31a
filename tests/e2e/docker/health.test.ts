import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { nowText } from './now-text.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

const label = 'io.slipway.health-on-failure';

/** Runs a container that is unhealthy as long as /state/bad is there, which its end takes away. */
async function runProbed(name: string, ...flags: readonly string[]): Promise<void> {
  const check = ['--health-cmd', 'test ! -f /state/bad', '--health-interval', '200ms', '--health-retries', '1'];
  const program = ['busybox', 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];
  await instance.dockerOutput('run', '-d', '--name', name, '--tmpfs', '/state', ...check, ...flags, ...program);
}

async function inspect(name: string, format: string): Promise<string> {
  return instance.dockerOutput('inspect', '-f', format, name);
}

/** The actions of a container's events so far, probes left out. */
async function actions(name: string): Promise<readonly string[]> {
  const options = [
    '--since',
    '0.001',
    '--until',
    nowText(),
    '--filter',
    `container=${name}`,
    '--format',
    '{{.Action}}',
  ];
  const text = await instance.dockerOutput('events', ...options);
  return text.split('\n').filter((action) => !action.startsWith('exec_'));
}

test('the start interval is for the start period, which excuses failures', async () => {
  const file = 'FROM busybox\nHEALTHCHECK --interval=1h --start-period=10m --start-interval=200ms CMD test -f /ok\n';
  const built = await instance.dockerWith({ stdin: file }, 'build', '-t', 'probed', '-');
  assert.equal(built.code, 0, built.stderr);
  await instance.dockerOutput('run', '-d', '--name', 'starting', 'probed', 'sleep', '1000');
  await eventually('three probes', async () => Number(await inspect('starting', '{{len .State.Health.Log}}')) >= 3);
  assert.equal(await inspect('starting', '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'), 'starting 0');
  await instance.dockerOutput('exec', 'starting', 'touch', '/ok');
  await eventually('it is healthy', async () => (await inspect('starting', '{{.State.Health.Status}}')) === 'healthy');
  assert.ok((await actions('starting')).includes('health_status: healthy'));
  await instance.dockerOutput('rm', '-f', 'starting');
});

describe('a container that turned unhealthy', () => {
  test('is left alone without a label', async () => {
    await runProbed('alone');
    await instance.dockerOutput('exec', 'alone', 'touch', '/state/bad');
    await eventually('it is seen', async () => (await inspect('alone', '{{.State.Health.Status}}')) === 'unhealthy');
    await instance.dockerOutput('exec', 'alone', 'rm', '/state/bad');
    await eventually('it is healthy', async () => (await inspect('alone', '{{.State.Health.Status}}')) === 'healthy');
    const wanted = ['create', 'start', 'health_status: healthy', 'health_status: unhealthy', 'health_status: healthy'];
    // Whether it was healthy before the file came is a matter of moments.
    assert.deepEqual((await actions('alone')).slice(-2), wanted.slice(-2));
    await instance.dockerOutput('rm', '-f', 'alone');
  });

  test('is restarted, also by a daemon that was killed in between', async () => {
    await runProbed('again', '--label', `${label}=restart`);
    await instance.kill9();
    await instance.start();
    const before = await inspect('again', '{{.State.StartedAt}}');
    await instance.dockerOutput('exec', 'again', 'touch', '/state/bad');
    await eventually('another run', async () => (await inspect('again', '{{.State.StartedAt}}')) !== before);
    await eventually('it is healthy', async () => (await inspect('again', '{{.State.Health.Status}}')) === 'healthy');
    await eventually('it is told', async () => (await actions('again')).includes('restart'));
    const told = await actions('again');
    const from = told.indexOf('health_status: unhealthy');
    assert.deepEqual(told.slice(from, from + 6), [
      'health_status: unhealthy',
      'kill',
      'die',
      'stop',
      'start',
      'restart',
    ]);
    await instance.dockerOutput('rm', '-f', 'again');
  });

  test('starts again when the daemon was killed while it stopped', async () => {
    const check = ['--health-cmd', 'false', '--health-interval', '200ms', '--health-retries', '1'];
    const script = 'trap "echo going; sleep 2; exit 0" TERM; while :; do sleep 0.1; done';
    const flags = ['--label', `${label}=restart`, ...check];
    await instance.dockerOutput('run', '-d', '--name', 'cut', ...flags, 'busybox', 'sh', '-c', script);
    const before = await inspect('cut', '{{.State.StartedAt}}');
    const pid = await inspect('cut', '{{.State.Pid}}');
    await eventually('it stops', async () => (await instance.dockerOutput('logs', 'cut')).includes('going'));
    await instance.kill9();
    await eventually('it has ended', () => !existsSync(`/proc/${pid}`));
    await instance.start();
    await eventually('another run', async () => (await inspect('cut', '{{.State.StartedAt}}')) !== before);
    await instance.dockerOutput('rm', '-f', 'cut');
  });

  test('is killed, and its restart policy decides', async () => {
    await runProbed('killed', '--label', `${label}=kill`, '--restart', 'on-failure');
    await instance.dockerOutput('exec', 'killed', 'touch', '/state/bad');
    await eventually(
      'it runs again',
      async () => (await inspect('killed', '{{.RestartCount}} {{.State.Status}}')) === '1 running',
    );
    await instance.dockerOutput('rm', '-f', 'killed');
  });

  test('is stopped, and stays so', async () => {
    await runProbed('stopped', '--label', `${label}=stop`, '--restart', 'always');
    await instance.dockerOutput('exec', 'stopped', 'touch', '/state/bad');
    await eventually('it has stopped', async () => (await actions('stopped')).includes('stop'));
    assert.equal(await inspect('stopped', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
    await instance.dockerOutput('rm', '-f', 'stopped');
  });

  test('by a label of another word is refused', async () => {
    const { code, stderr } = await instance.docker('create', '--label', `${label}=true`, 'busybox');
    assert.equal(code, 1);
    assert.match(stderr, /invalid label io\.slipway\.health-on-failure=true: want one of none, kill, restart, stop/);
  });
});

test('restarts by the policy are counted and pause longer each time', async () => {
  await instance.dockerOutput('run', '-d', '--name', 'crash', '--restart', 'on-failure:4', 'busybox', 'false');
  await eventually('it rests', async () => (await inspect('crash', '{{.State.Status}}')) === 'exited');
  assert.equal(await inspect('crash', '{{.RestartCount}} {{.State.ExitCode}}'), '4 1');
  const options = [
    '--since',
    '0.001',
    '--until',
    nowText(),
    '--filter',
    'container=crash',
    '--format',
    '{{.Action}} {{.TimeNano}}',
  ];
  const events = (await instance.dockerOutput('events', ...options)).split('\n').map((line) => line.split(' '));
  const times = (wanted: string): readonly number[] =>
    events.filter(([action]) => action === wanted).map(([, time]) => Number(time) / 1e6);
  const [starts, ends] = [times('start'), times('die')];
  assert.equal(starts.length, 5);
  // At least as long: a busy machine may add to it.
  const pauses = starts.slice(1).map((start, index) => start - (ends[index] ?? 0));
  for (const [index, leastMs] of [100, 200, 400, 800].entries())
    assert.ok((pauses[index] ?? 0) >= leastMs - 20, `pauses ${pauses.join(' ')}`);
  await instance.dockerOutput('rm', 'crash');
});
