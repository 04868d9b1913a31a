import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync, inflateSync } from 'node:zlib';

import { nowMs } from '#base/clock.ts';

import { commandOutput } from '../../kit/command.ts';
import { DatagramReceiver } from '../../kit/datagram-receiver.ts';
import { eventually } from '../../kit/eventually.ts';
import { Instance } from '../../kit/instance.ts';
import { makeRoot } from '../../kit/temp-root.ts';
import { toolPath } from '../../kit/tools.ts';
import { confirmEvents, fluentEvents, StreamReceiver, UdpReceiver } from './receivers.ts';

let instance: Instance;
let journal: DatagramReceiver;

before(async () => {
  const root = makeRoot();
  journal = new DatagramReceiver(join(root, 'journal'));
  instance = new Instance(root, { settings: [`engine.journalSocket=${journal.path}`] });
  await instance.start();
  await instance.loadBusybox();
});
after(async () => {
  journal[Symbol.dispose]();
  await instance?.destroy();
});

/** Runs a container with a log driver to its end; returns its ID. It prints `out` and, to stderr, `err`. */
async function run(name: string, driver: string, options: readonly string[], script = 'echo out; echo err >&2') {
  const flags = options.flatMap((option) => ['--log-opt', option]);
  const shell = ['busybox', 'sh', '-c', script];
  await instance.dockerOutput('run', '--name', name, '--log-driver', driver, ...flags, ...shell);
  return instance.dockerOutput('inspect', '-f', '{{.Id}}', name);
}

describe('syslog', () => {
  test('over UDP, in the short old format', async () => {
    using receiver = await UdpReceiver.listen();
    const id = await run('udp', 'syslog', [`syslog-address=udp://127.0.0.1:${String(receiver.port)}`]);
    await eventually('two messages', () => receiver.received.length === 2);
    const [out = '', err = ''] = receiver.received.map(String).toSorted().toReversed();
    const short = id.slice(0, 12);
    assert.match(out, new RegExp(`^<30>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d ${short}\\[\\d+\\]: out\n$`));
    assert.match(err, new RegExp(`^<27>.* ${short}\\[\\d+\\]: err\n$`));
  });

  test('over TCP, with facility and tag', async () => {
    await using receiver = await StreamReceiver.listen(0);
    const address = `syslog-address=tcp://127.0.0.1:${String(receiver.port)}`;
    const options = [address, 'syslog-facility=local7', 'syslog-format=rfc3164', 'tag={{.DaemonName}}/{{.Name}}'];
    await run('tcp', 'syslog', options);
    await eventually('two lines', () => receiver.lines.length === 2);
    const out = receiver.lines.find((line) => line.endsWith('out')) ?? '';
    assert.match(out, new RegExp(`^<190>.{15} ${hostname()} docker/tcp\\[\\d+\\]: out$`));
  });

  test('over TLS the receiver is checked, and messages are counted', async () => {
    const [key, cert] = [join(instance.root, 'key.pem'), join(instance.root, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '30'];
    const files = ['-keyout', key, '-out', cert];
    await commandOutput(toolPath('openssl'), ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files]);
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    await using receiver = await StreamReceiver.listen(0, { tls });
    const address = `syslog-address=tcp+tls://localhost:${String(receiver.port)}`;
    const options = [address, `syslog-tls-ca-cert=${cert}`, 'syslog-format=rfc5424micro', 'tag=t'];
    await run('tls', 'syslog', options, 'echo out');
    await eventually('a message', () => receiver.lines.length === 1);
    const [, length = '', message = ''] = /^(\d+) (.*)$/.exec(receiver.lines[0] ?? '') ?? [];
    assert.equal(Number(length), Buffer.byteLength(message) + 1);
    assert.match(message, new RegExp(`^<30>1 \\d{4}-\\S+T\\S+\\.\\d{6}\\S+ ${hostname()} t \\d+ t - out$`));

    await run('untrusted', 'syslog', [address], 'echo secret');
    await eventually('the refusal is told', () => instance.logTail().includes('self-signed certificate'));
    assert.equal(receiver.lines.length, 1);
    await instance.dockerOutput('rm', '-f', 'untrusted');
  });

  test('over unix sockets of both kinds', async () => {
    using datagrams = new DatagramReceiver(join(instance.root, 'gram'));
    await using stream = await StreamReceiver.listen(join(instance.root, 'stream'));
    const path = join(instance.root, 'stream');
    await run('gram', 'syslog', [`syslog-address=unixgram://${datagrams.path}`, 'syslog-format=rfc5424'], 'echo out');
    await run('stream', 'syslog', [`syslog-address=unix://${path}`, 'syslog-format=rfc5424'], 'echo out');
    await eventually('both', () => datagrams.received.length === 1 && stream.lines.length === 1);
    assert.match(String(datagrams.received[0]), /^<30>1 \S+ \S+ [0-9a-f]{12} \d+ [0-9a-f]{12} - out\n$/);
  });
});

test('journald gets entries with the fields of Docker', async () => {
  const options = ['tag={{.Name}}', 'labels=app', 'env=COLOUR'];
  const flags = options.flatMap((option) => ['--log-opt', option]);
  const facts = ['--label', 'app=shop', '-e', 'COLOUR=red'];
  const shell = ['busybox', 'sh', '-c', 'echo out; sleep 0.1; printf %20000s x >&2'];
  await instance.dockerOutput('run', '--name', 'unit', '--log-driver', 'journald', ...flags, ...facts, ...shell);
  const id = await instance.dockerOutput('inspect', '-f', '{{.Id}}', 'unit');
  await eventually('three entries', () => journal.received.length === 3);
  const [out = '', part = '', end = ''] = journal.received.map(String);
  for (const field of [
    'MESSAGE=out',
    'PRIORITY=6',
    `CONTAINER_ID=${id.slice(0, 12)}`,
    `CONTAINER_ID_FULL=${id}`,
    'CONTAINER_NAME=unit',
    'CONTAINER_TAG=unit',
    'SYSLOG_IDENTIFIER=unit',
    'IMAGE_NAME=busybox',
    'APP=shop',
    'COLOUR=red',
    'CONTAINER_LOG_ORDINAL=1',
  ])
    assert.ok(out.includes(`${field}\n`), `${field} in ${out}`);
  assert.match(out, /^SYSLOG_TIMESTAMP=\d{4}-\S+Z$/m);
  assert.match(
    part,
    /PRIORITY=3[^]*CONTAINER_PARTIAL_ORDINAL=1\nCONTAINER_PARTIAL_LAST=false\nCONTAINER_PARTIAL_MESSAGE=true/,
  );
  assert.match(end, /CONTAINER_PARTIAL_ORDINAL=2\nCONTAINER_PARTIAL_LAST=true\n$/);
});

describe('fluentd', () => {
  test('gets events', async () => {
    await using receiver = await StreamReceiver.listen(0);
    const address = `fluentd-address=127.0.0.1:${String(receiver.port)}`;
    const id = await run('flu', 'fluentd', [address, 'tag=app.{{.Name}}'], 'echo out; printf %16385s x');
    await eventually('three events', () => fluentEvents(receiver.bytes).length === 3);
    const [out, part, end] = fluentEvents(receiver.bytes);
    assert.equal(out?.tag, 'app.flu');
    assert.ok(Math.abs(Number(out.time) - nowMs() / 1000) < 600);
    assert.deepEqual(out.record, { container_id: id, container_name: '/flu', source: 'stdout', log: 'out' });
    assert.deepEqual([part?.record['partial_message'], part?.record['partial_ordinal']], ['true', '1']);
    assert.equal(part?.record['log']?.length, 16_384);
    assert.deepEqual([end?.record['partial_last'], end?.record['log']], ['true', 'x']);
    assert.equal(part.record['partial_id'], end?.record['partial_id']);
  });

  test('confirms them when it is asked to', async () => {
    await using receiver = await StreamReceiver.listen(0, { answer: confirmEvents() });
    const address = `fluentd-address=tcp://127.0.0.1:${String(receiver.port)}`;
    await run('ack', 'fluentd', [address, 'fluentd-request-ack=true'], 'echo out');
    await eventually('an event', () => fluentEvents(receiver.bytes)[0]?.record['log'] === 'out');
    assert.match(fluentEvents(receiver.bytes)[0]?.options['chunk'] ?? '', /^[\w+/=]{24}$/);
    await eventually('the connection is given back', () => receiver.connections === 1);
  });

  test('must be there when async is false, and only then', async () => {
    const options = ['--log-driver', 'fluentd', '--log-opt', 'fluentd-address=127.0.0.1:1'];
    const strict = await instance.docker('run', '--rm', ...options, '--log-opt', 'fluentd-async=false', 'busybox');
    assert.match(strict.stderr, /failed to initialize logging driver: dial tcp 127\.0\.0\.1:1: .*ECONNREFUSED/);
    assert.equal(await instance.dockerOutput('run', '--name', 'lax', ...options, 'busybox', 'echo', 'hi'), 'hi');
    assert.equal(await instance.dockerOutput('logs', 'lax'), 'hi');
    await instance.dockerOutput('rm', 'lax');
  });
});

describe('gelf', () => {
  test('goes over UDP, compressed and in chunks', async () => {
    using receiver = await UdpReceiver.listen();
    const address = `gelf-address=udp://127.0.0.1:${String(receiver.port)}`;
    const noise = 'echo out; sleep 0.1; head -c 6000 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo';
    const id = await run('gelf', 'gelf', [address, 'tag=t'], noise);
    await eventually('a message and chunks', () => {
      const [, first] = receiver.received;
      return first !== undefined && receiver.received.length === 1 + (first[11] ?? 0);
    });
    const [whole = Buffer.alloc(0), ...chunks] = receiver.received;
    const message = JSON.parse(gunzipSync(whole).toString()) as Record<string, unknown>;
    assert.partialDeepStrictEqual(message, {
      version: '1.1',
      host: hostname(),
      short_message: 'out',
      level: 6,
      _container_id: id,
      _container_name: 'gelf',
      _image_name: 'busybox',
      _tag: 't',
    });
    assert.match(String(message['_created']), /^\d{4}-/);
    const ordered = chunks.toSorted((a, b) => (a[10] ?? 0) - (b[10] ?? 0)).map((chunk) => chunk.subarray(12));
    const long = JSON.parse(gunzipSync(Buffer.concat(ordered)).toString()) as Record<string, unknown>;
    assert.equal(String(long['short_message']).length, 12_000);
  });

  test('goes over TCP, and with zlib', async () => {
    await using stream = await StreamReceiver.listen(0);
    using datagrams = await UdpReceiver.listen();
    await run('gelf-tcp', 'gelf', [`gelf-address=tcp://127.0.0.1:${String(stream.port)}`]);
    const address = `gelf-address=udp://127.0.0.1:${String(datagrams.port)}`;
    await run('gelf-zlib', 'gelf', [address, 'gelf-compression-type=zlib'], 'echo; echo out');
    const messages = () => stream.bytes.toString().split('\0').slice(0, -1);
    await eventually('all', () => messages().length === 2 && datagrams.received.length === 1);
    const levels = messages().map((text) => (JSON.parse(text) as { level: number }).level);
    assert.deepEqual(
      levels.toSorted((a, b) => a - b),
      [3, 6],
    );
    assert.match(inflateSync(datagrams.received[0] ?? Buffer.alloc(0)).toString(), /"short_message":"out"/);
  });
});

test('every driver but none keeps a copy for `docker logs`, unless told not to', async () => {
  for (const name of ['udp', 'tcp', 'unit', 'flu', 'gelf-tcp'])
    assert.match(await instance.dockerOutput('logs', name), /^out/, name);
  assert.equal(await instance.dockerOutput('logs', '--details', '--tail', '1', 'unit').then((text) => text.length), 0);
  const detailed = await instance.docker('logs', '--details', 'unit');
  assert.equal(detailed.stdout, 'COLOUR=red,app=shop,tag=unit out\n');
  using receiver = new DatagramReceiver(join(instance.root, 'uncached'));
  await run('uncached', 'syslog', [`syslog-address=unixgram://${receiver.path}`, 'cache-disabled=true'], 'echo out');
  await run('none', 'none', [], 'echo out');
  for (const name of ['uncached', 'none']) {
    const refused = await instance.docker('logs', name);
    assert.match(refused.stderr, /configured logging driver does not support reading/);
  }
  await eventually('it is sent', () => receiver.received.length === 1);
  assert.equal(await instance.dockerOutput('inspect', '-f', '{{.LogPath}}', 'udp'), '');
});

test('wrong options are refused at create, in words of Docker', async () => {
  const refusals: readonly [string, readonly string[], RegExp][] = [
    ['nope', [], /logger: no log driver named 'nope' is registered/],
    ['json-file', ['nope=1'], /unknown log opt 'nope' for json-file log driver/],
    ['syslog', ['syslog-address=box'], /syslog-address should be in form proto:\/\/address, got box/],
    ['syslog', ['syslog-address=unix:///no/socket'], /stat \/no\/socket: no such file or directory/],
    ['gelf', [], /gelf-address is a required parameter/],
    ['fluentd', ['fluentd-retry-wait=x'], /invalid value for fluentd-retry-wait/],
    ['journald', ['tag={{.Nope}}'], /can't evaluate field Nope/],
    ['awslogs', [], /speaks to one service only/],
  ];
  for (const [driver, options, message] of refusals) {
    const flags = options.flatMap((option) => ['--log-opt', option]);
    const { code, stderr } = await instance.docker('create', '--log-driver', driver, ...flags, 'busybox');
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});

test('info names the drivers', async () => {
  const info = await instance.dockerOutput('info', '-f', '{{.LoggingDriver}} {{join .Plugins.Log " "}}');
  assert.equal(info, 'json-file fluentd gelf journald json-file local syslog');
});
