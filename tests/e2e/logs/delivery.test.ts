import assert from 'node:assert/strict';
import { test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';
import { confirmEvents, fluentEvents, StreamReceiver } from './receivers.ts';

/** Counts up as fast as it can, then waits. */
function counter(lines: number): readonly string[] {
  return ['busybox', 'sh', '-c', `seq 1 ${String(lines)}; sleep 1000`];
}

/** What is missing of the numbers from 1 to `count`. */
function missing(found: Iterable<string>, count: number): readonly number[] {
  const seen = new Set([...found].map(Number));
  return Array.from({ length: count }, (_, index) => index + 1).filter((number) => !seen.has(number));
}

function texts(receiver: StreamReceiver): readonly string[] {
  return fluentEvents(receiver.bytes).map(({ record }) => record['log'] ?? '');
}

function numbers(receiver: StreamReceiver): readonly string[] {
  return receiver.lines.map((line) => line.split(' ').at(-1) ?? '');
}

test('killing the daemon in the middle, and a receiver that goes and comes, lose no line', async (t) => {
  const instance = await startInstance(t);
  await instance.loadBusybox();
  const first = await StreamReceiver.listen(0);
  const { port } = first;
  const logs = ['--log-driver', 'syslog', '--log-opt', `syslog-address=tcp://127.0.0.1:${String(port)}`];
  const slowly = 'for i in $(seq 1 30); do seq $((i * 100 - 99)) $((i * 100)); sleep 0.05; done; sleep 1000';
  await instance.dockerOutput('run', '-d', '--name', 'count', ...logs, 'busybox', 'sh', '-c', slowly);
  await eventually('some lines', () => numbers(first).length > 200);
  await instance.kill9();
  await first[Symbol.asyncDispose]();
  await instance.start();
  await eventually('the daemon sees that nobody is there', () => instance.logTail().includes('output cannot be sent'));
  await using second = await StreamReceiver.listen(port);
  await eventually('the last line', () => numbers(second).includes('3000'));
  assert.deepEqual(missing([...numbers(first), ...numbers(second)], 3000), []);
  await instance.dockerOutput('rm', '-f', 'count');
});

test('the daemon has a driver for all, and lines that were confirmed are not sent again', async (t) => {
  await using receiver = await StreamReceiver.listen(0, { answer: confirmEvents() });
  const address = `fluentd-address=127.0.0.1:${String(receiver.port)}`;
  const settings = ['engine.logDriver=fluentd', `engine.logOpts=${address},fluentd-request-ack=true`];
  const instance = await startInstance(t, { settings });
  await instance.loadBusybox();
  assert.equal(await instance.dockerOutput('info', '-f', '{{.LoggingDriver}}'), 'fluentd');
  await instance.dockerOutput('run', '-d', '--name', 'count', ...counter(5000));
  await eventually('all lines', () => texts(receiver).includes('5000'));
  const shown = await instance.dockerOutput('inspect', '-f', '{{json .HostConfig.LogConfig}}', 'count');
  assert.match(shown, /"Type":"fluentd".*"fluentd-request-ack":"true"/);
  await instance.restart();
  // A container of one line, so that it is known when the daemon has looked at all logs.
  await instance.dockerOutput('run', '--rm', 'busybox', 'echo', 'last words');
  assert.ok(texts(receiver).includes('last words'), 'what a container printed is sent before it is removed');
  assert.deepEqual(missing(texts(receiver), 5000), []);
  assert.equal(texts(receiver).length, 5001);
  await instance.dockerOutput('rm', '-f', 'count');
});

test('a container that runs again, and one that ended while the daemon was away', async (t) => {
  const instance = await startInstance(t);
  await instance.loadBusybox();
  await using receiver = await StreamReceiver.listen(0);
  const logs = ['--log-driver', 'syslog', '--log-opt', `syslog-address=tcp://127.0.0.1:${String(receiver.port)}`];
  const script = 'echo $(hostname).begin; sleep 1; echo $(hostname).end';
  await instance.dockerOutput('run', '-d', '-h', 'box', '--name', 'again', ...logs, 'busybox', 'sh', '-c', script);
  await instance.kill9();
  await eventually('it has ended', async () => {
    const { code } = await command('grep', ['-rq', 'box.end', instance.paths.data]);
    return code === 0;
  });
  await instance.start();
  await eventually('its end', () => numbers(receiver).includes('box.end'));
  await instance.dockerOutput('start', 'again');
  await eventually('again', () => numbers(receiver).filter((text) => text === 'box.end').length === 2);
  await instance.dockerOutput('rm', '-f', 'again');
});
