import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';

import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { openInstance } from '../../kit/open-instance.ts';
import { proves } from '../../kit/proves.ts';
import { Session } from './session.ts';

let instance: Instance;

before(async () => {
  instance = await openInstance();
});
after(async () => instance?.destroy());

test('both streams arrive where they belong', async () => {
  const { stdout, stderr } = await instance.docker('run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2');
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
});

test('input goes in, and its end too', async () => {
  const { code, stdout } = await instance.dockerWith({ stdin: 'one\ntwo\n' }, 'run', '--rm', '-i', 'busybox', 'cat');
  assert.deepEqual([code, stdout], [0, 'one\ntwo\n']);
  const without = await instance.dockerWith({ stdin: 'unheard' }, 'run', '--rm', 'busybox', 'cat');
  assert.deepEqual([without.code, without.stdout], [0, '']);
});

test('many bytes come through both ways unchanged', async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024);
  for (let index = 0; index < bytes.length; index += 4096) bytes.writeUInt32LE(index, index);
  const digest = createHash('md5').update(bytes).digest('hex');
  const summed = await instance.dockerWith({ stdin: bytes }, 'run', '--rm', '-i', 'busybox', 'md5sum');
  assert.equal(summed.stdout.split(' ')[0], digest);
  const count = 'dd if=/dev/zero bs=65536 count=128 2>/dev/null';
  const { stdout } = await instance.docker('run', '--rm', 'busybox', 'sh', '-c', count);
  assert.equal(stdout.length, 128 * 65_536);
});

test("a terminal is a terminal, with the size of the client's", async () => {
  await using session = Session.terminal(instance, 'run', '--rm', '-it', 'busybox', 'sh');
  await session.expect(/\/ # /);
  session.send('tty && echo "a"b\n');
  await session.expect(/\/dev\/pts\/\d+[\s\S]*ab/);
  session.send('exit 4\n');
  assert.equal(await session.end(), 4);
});

test(
  'detach leaves it running, attach comes back',
  proves('docker attach', 'docker attach --detach-keys'),
  async () => {
    await using first = Session.terminal(instance, 'run', '-it', '--name', 'shell', 'busybox', 'sh');
    await first.expect(/\/ # /);
    first.send('X=kept\n');
    first.send('\u0010\u0011');
    assert.equal(await first.end(), 0);
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.State.Running}}', 'shell'), 'true');
    await using second = Session.terminal(instance, 'attach', '--detach-keys', 'ctrl-x', 'shell');
    second.send('echo "<$X>"\n');
    await second.expect(/<kept>/);
    second.send('\u0018');
    await second.end();
    await instance.dockerOutput('rm', '-f', 'shell');
  },
);

test('several clients are attached to one container', proves('docker attach --no-stdin'), async () => {
  await instance.dockerOutput('run', '-d', '--name', 'talker', '-i', 'busybox', 'cat');
  await using one = Session.docker(instance, 'attach', 'talker');
  await using two = Session.docker(instance, 'attach', '--no-stdin', 'talker');
  await eventually('both hear it', async () => {
    one.send('hello\n');
    return one.output.includes('hello') && two.output.includes('hello');
  });
  await instance.dockerOutput('rm', '-f', 'talker');
  await Promise.all([one.end(), two.end()]);
});

test(
  'the keys that detach are those that were asked for',
  proves('docker {run,exec,start} --detach-keys'),
  async () => {
    const detach = async (...args: readonly string[]): Promise<void> => {
      await using session = Session.terminal(instance, ...args);
      await session.expect(/\/ # /);
      session.send('\u0018');
      await session.end();
    };
    const keys = ['-it', '--detach-keys', 'ctrl-x'];
    await detach('run', ...keys, '--name', 'keys', 'busybox', 'sh');
    await detach('exec', ...keys, 'keys', 'sh');
    await instance.dockerOutput('stop', '-t', '0', 'keys');
    await detach('start', '-ai', '--detach-keys', 'ctrl-x', 'keys');
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.State.Running}}', 'keys'), 'true');
    await instance.dockerOutput('rm', '-f', 'keys');
  },
);

test('a client that keeps signals to itself ends alone', proves('docker {run,attach} --sig-proxy'), async () => {
  const end = async (...args: readonly string[]): Promise<void> => {
    await using session = Session.docker(instance, ...args);
    await session.expect(/tick/);
    let hasEnded = false;
    const ended = session.end().then(() => {
      hasEnded = true;
    });
    // Newer clients want to be told several times.
    await eventually('the client ends', () => {
      session.signal('SIGTERM');
      return hasEnded;
    });
    await ended;
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.State.Running}}', 'kept'), 'true');
  };
  const script = 'while :; do echo tick; sleep 0.1; done';
  await end('run', '--init', '--sig-proxy=false', '--name', 'kept', 'busybox', 'sh', '-c', script);
  await end('attach', '--sig-proxy=false', 'kept');
  await instance.dockerOutput('rm', '-f', 'kept');
});

test('a signal to the client reaches the process', async () => {
  const script = 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.1; done';
  await using session = Session.docker(instance, 'run', '--rm', 'busybox', 'sh', '-c', script);
  await session.expect(/ready/);
  session.signal('SIGTERM');
  assert.equal(await session.end(), 9);
  assert.match(session.output, /caught/);
});

test('start -a shows the output of a container that ran before', async () => {
  await instance.dockerOutput('create', '--name', 'again', 'busybox', 'sh', '-c', 'echo run; exit 3');
  for (const _ of [1, 2]) {
    const { code, stdout } = await instance.docker('start', '-a', 'again');
    assert.deepEqual([code, stdout], [3, 'run\n']);
  }
  await instance.dockerOutput('rm', 'again');
});

test('logs have what was said, by line, time and number, and follow to the end', async () => {
  const script = 'for n in 1 2 3; do echo line $n; echo side $n >&2; done; read last; echo $last';
  await instance.dockerOutput('run', '-d', '-i', '--name', 'writer', 'busybox', 'sh', '-c', script);
  await using follower = Session.docker(instance, 'logs', '-f', 'writer');
  await follower.expect(/line 3\n[\s\S]*side 3|side 3\n[\s\S]*line 3/);
  await using client = Session.docker(instance, 'attach', 'writer');
  await eventually('the last line was logged', async () => {
    client.send('farewell\n');
    return follower.output.includes('farewell');
  });
  assert.equal(await follower.end(), 0);
  const { stdout, stderr } = await instance.docker('logs', 'writer');
  assert.deepEqual([stdout, stderr], ['line 1\nline 2\nline 3\nfarewell\n', 'side 1\nside 2\nside 3\n']);
  assert.equal(await instance.dockerOutput('logs', '--tail', '1', 'writer'), 'farewell');
  const stamped = await instance.docker('logs', '-t', 'writer');
  assert.match(stamped.stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1\n/);
  const [time = ''] = stamped.stdout.split('\n')[2]?.split(' ') ?? [];
  const since = await instance.docker('logs', '--since', time, 'writer');
  assert.match(since.stdout, /line 3\nfarewell\n$/);
  await instance.dockerOutput('rm', 'writer');
  const silent = await instance.dockerOutput('run', '-d', '--log-driver', 'none', 'busybox', 'echo', 'x');
  assert.match((await instance.docker('logs', silent)).stderr, /does not support reading/);
  await instance.dockerOutput('rm', '-f', silent);
});

test('exec runs beside the command, with input, user, folder, environment, code and terminal', async () => {
  await instance.dockerOutput('run', '-d', '--name', 'host', '-e', 'A=outer', 'busybox', 'sleep', '3600');
  const exec = async (...args: readonly string[]): Promise<string> => instance.dockerOutput('exec', ...args);
  assert.equal(await exec('-e', 'B=inner', 'host', 'sh', '-c', 'echo $A $B'), 'outer inner');
  assert.equal(await exec('-w', '/tmp', 'host', 'pwd'), '/tmp');
  assert.equal(await exec('-u', 'nobody', 'host', 'id', '-un'), 'nobody');
  assert.equal((await instance.dockerWith({ stdin: 'in' }, 'exec', '-i', 'host', 'cat')).stdout, 'in');
  assert.equal((await instance.docker('exec', 'host', 'sh', '-c', 'exit 6')).code, 6);
  const missing = await instance.docker('exec', 'host', 'no-such-command');
  assert.ok([126, 127].includes(missing.code), `${String(missing.code)} ${missing.stderr}${missing.stdout}`);
  const nobody = await instance.docker('exec', '-u', 'no-such-user', 'host', 'true');
  assert.deepEqual([nobody.code, /no-such-user/.test(nobody.stdout)], [126, true], nobody.stderr);
  await exec('-d', 'host', 'touch', '/made');
  await eventually(
    'the detached command has run',
    async () => (await instance.docker('exec', 'host', 'test', '-e', '/made')).code === 0,
  );
  await using session = Session.terminal(instance, 'exec', '-it', 'host', 'sh');
  await session.expect(/\/ # /);
  session.send('tty; exit 5\n');
  assert.equal(await session.end(), 5);
  assert.match(session.output, /\/dev\/pts\/\d+/);
  await instance.dockerOutput('rm', '-f', 'host');
  const gone = await instance.docker('exec', 'host', 'true');
  assert.match(gone.stderr, /No such container: host/);
});
