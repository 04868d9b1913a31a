import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves } from '../../kit/proves.ts';
import { nowText } from '../docker/now-text.ts';
import { Session } from '../docker/session.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

async function logFolder(name: string): Promise<string> {
  return dirname(await instance.dockerOutput('inspect', '-f', '{{.LogPath}}', name));
}

/** Each file once, however many names it has. */
function bytesIn(folder: string): number {
  const files = readdirSync(folder).map((name) => statSync(join(folder, name)));
  return [...new Map(files.map((file) => [file.ino, file.size])).values()].reduce((sum, size) => sum + size, 0);
}

/** Without printing megabytes when they differ. */
function assertSame(found: string, wanted: string): void {
  const lines = wanted.split('\n');
  const different = found.split('\n').find((line, index) => line !== lines[index]);
  assert.ok(
    found === wanted,
    `${String(found.length)} for ${String(wanted.length)} bytes, from ${String(different)} on`,
  );
}

test('200 MB of output stay in the bound, and the end is there', async () => {
  const options = ['--log-opt', 'max-size=5m', '--log-opt', 'max-file=2'];
  const flood = 'yes "$(printf %4000s x)" | head -c 200000000; echo; echo end';
  await instance.dockerOutput('run', '-d', '--name', 'flood', ...options, 'busybox', 'sh', '-c', flood);
  const folder = await logFolder('flood');
  let most = 0;
  let status: string | undefined;
  const ended = instance.dockerOutput('wait', 'flood').then((code) => (status = code));
  await eventually('it has ended', () => {
    most = Math.max(most, bytesIn(folder));
    return status !== undefined;
  });
  assert.equal(await ended, '0');
  // conmon looks at the size after each write; one file more may be there for a moment.
  assert.ok(Math.max(most, bytesIn(folder)) < 16_000_000, `${String(most)} bytes`);
  assert.equal(await instance.dockerOutput('logs', '--tail', '1', 'flood'), 'end');
  await instance.dockerOutput('rm', 'flood');
});

const proof = proves('docker logs', 'docker logs --follow', 'docker logs --tail', 'GET /containers/{id}/logs');

test('logs --follow goes on across rotations, and --tail reads compressed files', proof, async () => {
  const options = ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=50', '--log-opt', 'compress=true'];
  // Each piece is less than a file: nobody needs to hurry for the next one.
  const script = 'read x; for i in $(seq 1 12); do seq $((i * 12000 - 11999)) $((i * 12000)); sleep 0.2; done';
  await instance.dockerOutput('create', '-i', '--name', 'turn', ...options, 'busybox', 'sh', '-c', script);
  const folder = await logFolder('turn');
  await using starter = Session.docker(instance, 'start', '-ai', 'turn');
  await eventually('it runs', async () => (await instance.dockerOutput('ps', '-q', '-f', 'name=turn')) !== '');
  const follower = instance.docker('logs', '-f', 'turn');
  starter.send('go\n');
  const wanted = Array.from({ length: 144_000 }, (_, index) => `${String(index + 1)}\n`).join('');
  assertSame((await follower).stdout, wanted);
  await eventually('compressed', () => readdirSync(folder).filter((name) => name.endsWith('.gz')).length > 3);
  assertSame((await instance.docker('logs', 'turn')).stdout, wanted);
  const tail = (await instance.docker('logs', '-n', '100000', 'turn')).stdout;
  assertSame(tail, wanted.split('\n').slice(44_000).join('\n'));
  await instance.dockerOutput('rm', '-f', 'turn');
});

const decorations = proves(
  'docker logs --since',
  'docker logs --until',
  'docker logs --timestamps',
  'docker logs --details',
  'docker logs --tail',
);

test('since, until, tail, timestamps and details', decorations, async () => {
  const options = [
    '--log-opt',
    'labels=app',
    '--log-opt',
    'env-regex=^COL',
    '--log-opt',
    'tag={{.Name}}/{{.ImageName}}',
  ];
  const facts = ['--label', 'app=a b', '-e', 'COLOUR=red', '-e', 'OTHER=x'];
  const script = 'echo one; sleep 1.1; echo two; sleep 1.1; echo three';
  await instance.dockerOutput('run', '--name', 'times', ...options, ...facts, 'busybox', 'sh', '-c', script);
  const logs = (...args: readonly string[]) => instance.dockerOutput('logs', ...args, 'times');
  assert.equal(await logs(), 'one\ntwo\nthree');
  assert.equal(await logs('--tail', '2'), 'two\nthree');
  const stamped = (await logs('-t')).split('\n');
  for (const line of stamped) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (one|two|three)$/);
  const second = stamped[1]?.split(' ')[0] ?? '';
  assert.equal(await logs('--since', second), 'two\nthree');
  assert.equal(await logs('--until', second), 'one\ntwo');
  assert.equal(await logs('--since', '1h', '--until', nowText(), '-n', '1'), 'three');
  assert.equal(await logs('--details', '-n', '1'), 'COLOUR=red,app=a+b,tag=times%2Fbusybox three');
  assert.match(await logs('--details', '-t', '-n', '1'), /^\S+Z COLOUR=red,app=a\+b,tag=\S+ three$/);
  await instance.dockerOutput('rm', 'times');
});

test('a log that nobody arranges any more is still bounded when the daemon is dead', async () => {
  const options = ['--log-driver', 'local', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=3'];
  const script = 'read x; yes 012345678901234567890123456789 | head -c 20000000; echo; echo end; sleep 1000';
  await instance.dockerOutput('run', '-d', '-i', '--name', 'alone', ...options, 'busybox', 'sh', '-c', script);
  await using writer = Session.docker(instance, 'attach', 'alone');
  writer.send('go\n');
  await eventually('it prints', () => writer.output.length > 100_000);
  await instance.kill9();
  await instance.start();
  await eventually('its end', async () => (await instance.dockerOutput('logs', '-n', '1', 'alone')) === 'end');
  const id = await instance.dockerOutput('inspect', '-f', '{{.Id}}', 'alone');
  const folder = join(instance.paths.data, 'engine/containers/logs', id);
  await eventually('files over the limit are gone', () => bytesIn(folder) < 4_500_000);
  await instance.dockerOutput('rm', '-f', 'alone');
});
