import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

import { command } from '../../kit/command.ts';
import { eventually } from '../../kit/eventually.ts';
import type { Instance } from '../../kit/instance.ts';
import { kubernetesClient } from '../../kit/kubernetes-clients.ts';
import { openInstance } from '../../kit/open-instance.ts';

const kubectl = kubernetesClient('kubectl');
let instance: Instance;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  return command(kubectl, ['--kubeconfig', instance.paths.kubeconfig, ...args]);
}

/** What a command printed that has to succeed. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A command whose input is given and then ends. */
async function piped(input: string, ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(kubectl, ['--kubeconfig', instance.paths.kubeconfig, ...args]);
  child.stdin.end(input);
  const all = [text(child.stdout), text(child.stderr), once(child, 'close')] as const;
  const [stdout, stderr, [code]] = (await Promise.all(all)) as [string, string, [number]];
  return { code, stdout, stderr };
}

const script = 'echo one; echo two; echo three; trap "exit 0" TERM; while :; do sleep 0.1; done';

before(async () => {
  instance = await openInstance({ settings: ['kubernetes.node=true', 'kubernetes.nodeName=one'] });
  await instance.loadBusybox();
  await output('run', 'web', '--image=busybox:latest', '--image-pull-policy=Never', '--', 'sh', '-c', script);
  await output('wait', '--for=condition=Ready', 'pod/web', '--timeout=60s');
});
after(async () => instance?.destroy());

test('kubectl logs, whole and in part', async () => {
  await eventually('all was printed', async () => (await output('logs', 'web')).includes('three'));
  assert.equal(await output('logs', 'web'), 'one\ntwo\nthree\n');
  assert.equal(await output('logs', 'web', '--tail=1'), 'three\n');
  assert.equal(await output('logs', 'web', '--limit-bytes=5'), 'one\nt');
  assert.match(await output('logs', 'web', '--timestamps', '--tail=1'), /^\d{4}-\d\d-\d\dT\S+Z three\n$/);
  assert.equal(await output('logs', 'web', '--since-time=2100-01-01T00:00:00Z'), '');
  const previous = await run('logs', 'web', '--previous');
  assert.match(previous.stderr, /previous terminated container "web" in pod "web" not found/);
  assert.match((await run('logs', 'web', '-c', 'other')).stderr, /container other is not valid for pod web/);
});

test('kubectl exec: output, input, exit codes', async () => {
  assert.equal(await output('exec', 'web', '--', 'hostname'), 'web\n');
  const both = await run('exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3');
  assert.deepEqual([both.code, both.stdout], [3, 'out\n']);
  assert.match(both.stderr, /^err\ncommand terminated with exit code 3/);
  const typed = await piped('typed text', 'exec', '-i', 'web', '--', 'cat');
  assert.deepEqual([typed.code, typed.stdout], [0, 'typed text']);
  const megabyte = 'x'.repeat(1_000_000);
  const counted = await piped(megabyte, 'exec', '-i', 'web', '--', 'wc', '-c');
  assert.equal(counted.stdout.trim(), '1000000');
  assert.equal((await output('exec', 'web', '--', 'head', '-c', '3000000', '/dev/zero')).length, 3_000_000);
  assert.match((await run('exec', 'lost', '--', 'true')).stderr, /pods "lost" not found/);
});

test('kubectl cp, both ways', async () => {
  const folder = instance.root;
  await output('exec', 'web', '--', 'sh', '-c', 'mkdir /data; echo inside > /data/file');
  await output('cp', 'web:/data', `${folder}/copied`);
  await output('cp', `${folder}/copied/file`, 'web:/data/again');
  assert.equal(await output('exec', 'web', '--', 'cat', '/data/again'), 'inside\n');
});

test('kubectl port-forward: several connections, both ways, and a port where nobody listens', async () => {
  const script = String.raw`printf '#!/bin/sh\nprintf "Content-type: text/plain\\r\\n\\r\\n"; wc -c\n'`;
  const serve = `cd /tmp; mkdir cgi-bin; echo page > index.html; ${script} > cgi-bin/count; chmod +x cgi-bin/count; httpd -p 127.0.0.1:8080`;
  await output('exec', 'web', '--', 'sh', '-c', serve);
  const child = spawn(kubectl, ['--kubeconfig', instance.paths.kubeconfig, 'port-forward', 'pod/web', ':8080', ':81']);
  const closed = once(child, 'close');
  try {
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const portTo = (port: number): string => new RegExp(`127.0.0.1:(\\d+) -> ${String(port)}`).exec(said)?.[1] ?? '';
    await eventually('the ports are open', () => [8080, 81].every((port) => portTo(port) !== ''));
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${portTo(8080)}/`)).text();
    assert.deepEqual(
      await Promise.all(Array.from({ length: 20 }, page)),
      Array.from({ length: 20 }, () => 'page\n'),
    );
    const body = Buffer.alloc(3_000_000, 'abcdefg');
    const counted = await fetch(`http://127.0.0.1:${portTo(8080)}/cgi-bin/count`, { method: 'POST', body });
    assert.equal((await counted.text()).trim(), '3000000');
    await assert.rejects(fetch(`http://127.0.0.1:${portTo(81)}/`));
    await eventually('it is told', () => /error forwarding port 81 to pod web/.test(said));
  } finally {
    child.kill();
    await closed;
  }
});

test('kubectl logs -f ends with the pod', async () => {
  const child = spawn(kubectl, ['--kubeconfig', instance.paths.kubeconfig, 'logs', '-f', 'web']);
  const closed = once(child, 'close');
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await eventually('it follows', () => said.includes('three'));
  await output('delete', 'pod', 'web', '--wait=false', '--grace-period=2');
  assert.deepEqual([(await closed)[0], said], [0, 'one\ntwo\nthree\n']);
});
