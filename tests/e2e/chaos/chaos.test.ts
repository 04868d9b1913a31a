// The daemon is killed again and again while clients run, build, pull, exec, read logs, and make and remove networks and
// volumes. SLIPWAY_CHAOS_KILLS and SLIPWAY_CHAOS_SEED choose how often and which load; the nightly run kills it 200 times.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { deadline, nowMs, sleep } from '#base/clock.ts';

import { eventually } from '../../kit/eventually.ts';
import { type Instance, startInstance } from '../../kit/instance.ts';
import { startRegistry } from '../../kit/registry.ts';
import { Ledger } from './ledger.ts';
import { Random } from '../../kit/random.ts';
import { areConsecutive, operations, type Work } from './work.ts';

const kills = Number(process.env['SLIPWAY_CHAOS_KILLS'] ?? 6);
const seed = Number(process.env['SLIPWAY_CHAOS_SEED'] ?? nowMs() % 1_000_000);
const clients = 3;
const awayMs = 150;
const counting = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done';
const counters = ['counter-1', 'counter-2'];
/** Longer than 200 kills take on a busy machine. */
const longest = deadline(4 * 3_600_000);

interface Life {
  readonly pid: number;
  readonly startedAt: string;
}

test('a daemon that is killed in the middle of everything loses nothing', async (t) => {
  t.diagnostic(`seed ${String(seed)}, ${String(kills)} kills`);
  const { instance, work } = await makeWork(t);
  const lives = await Promise.all(counters.map((name) => lifeOf(instance, name)));
  const done = new AbortController();
  const load = Promise.all(Array.from({ length: clients }, (_, index) => client(work, index, done.signal)));
  load.catch(() => done.abort());
  const random = new Random(seed);
  for (let round = 0; round < kills && !done.signal.aborted; round += 1) {
    await sleep(random.integer(1500), longest);
    await instance.kill9();
    await sleep(random.integer(300), longest);
    await instance.start();
    assert.deepEqual(await Promise.all(counters.map((name) => lifeOf(instance, name))), lives);
  }
  done.abort();
  await load;
  t.diagnostic(
    `${String(work.ledger.acknowledged)} operations acknowledged, ${String(work.ledger.cut)} cut or refused`,
  );
  assert.ok(work.ledger.acknowledged > kills, 'there was a load');
  await keptEverything(instance, work.ledger);
  for (const name of counters) await loggedEverything(instance, name);
  await leavesNothing(instance);
});

async function makeWork(t: TestContext): Promise<{ instance: Instance; work: Work }> {
  const registry = await startRegistry(t);
  const instance = await startInstance(t);
  await instance.loadBusybox();
  const remoteImage = `${registry.address}/busybox:1`;
  await instance.dockerOutput('tag', 'busybox', remoteImage);
  await instance.dockerOutput('push', '-q', remoteImage);
  for (const name of counters)
    await instance.dockerOutput('run', '-d', '--name', name, 'busybox', 'sh', '-c', counting);
  let made = 0;
  const name = (kind: string): string => `${kind}-${String((made += 1))}`;
  const counter = counters[0] ?? '';
  return {
    instance,
    work: { instance, ledger: new Ledger(), random: new Random(seed + 1), remoteImage, counter, name },
  };
}

async function client(work: Work, index: number, done: AbortSignal): Promise<void> {
  const random = new Random(seed + 100 + index);
  while (!done.aborted) {
    const { cut } = work.ledger;
    await random.pick(operations)?.(work);
    // Clients that ask again and again would take the processor from the daemon that they wait for.
    if (work.ledger.cut > cut) await sleep(awayMs, longest);
  }
}

async function lifeOf(instance: Instance, name: string): Promise<Life> {
  const text = await instance.dockerOutput(
    'inspect',
    '-f',
    '{{.State.Pid}} {{.State.StartedAt}} {{.State.Running}}',
    name,
  );
  const [pid = '', startedAt = '', running = ''] = text.split(' ');
  assert.equal(running, 'true', `${name} runs`);
  return { pid: Number(pid), startedAt };
}

async function keptEverything(instance: Instance, ledger: Ledger): Promise<void> {
  for (const [name, { code, line }] of ledger.exits) {
    await eventually(`${name} has ended`, async () => (await stateOf(instance, name)) !== 'running');
    assert.equal(await instance.dockerOutput('inspect', '-f', '{{.State.ExitCode}}', name), String(code), name);
    assert.equal(await instance.dockerOutput('logs', name), line);
  }
  const networks = await names(instance, 'network', 'ls', '--format', '{{.Name}}');
  for (const name of ledger.networks) assert.ok(networks.has(name), `network ${name} is kept`);
  for (const name of ledger.removed.networks) assert.ok(!networks.has(name), `network ${name} stays removed`);
  const volumes = await names(instance, 'volume', 'ls', '-q');
  for (const name of ledger.removed.volumes) assert.ok(!volumes.has(name), `volume ${name} stays removed`);
  for (const [name, text] of ledger.volumes)
    assert.equal(await instance.dockerOutput('run', '--rm', '-v', `${name}:/d`, 'busybox', 'cat', '/d/f'), text, name);
  for (const [name, text] of ledger.images) assert.equal(await instance.dockerOutput('run', '--rm', name), text, name);
  const containers = await names(instance, 'ps', '-a', '--format', '{{.Names}}');
  for (const name of ledger.removed.containers) assert.ok(!containers.has(name), `container ${name} stays removed`);
}

async function stateOf(instance: Instance, name: string): Promise<string> {
  return instance.dockerOutput('inspect', '-f', '{{.State.Status}}', name);
}

async function names(instance: Instance, ...args: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set((await instance.dockerOutput(...args)).split('\n'));
}

async function loggedEverything(instance: Instance, name: string): Promise<void> {
  await instance.dockerOutput('kill', name);
  const numbers = (await instance.dockerOutput('logs', name)).split('\n').map(Number);
  assert.ok(numbers[0] === 0 && numbers.length > kills && areConsecutive(numbers), `${name} logged every line`);
}

/** When the last container, image, network and volume is removed, nothing that a kill left half-made stands on the disk. */
async function leavesNothing(instance: Instance): Promise<void> {
  const ids = await instance.dockerOutput('ps', '-aq');
  await instance.dockerOutput('rm', '-f', '-v', ...ids.split('\n').filter(Boolean));
  await instance.dockerOutput('system', 'prune', '-af', '--volumes');
  const volumes = await instance.dockerOutput('volume', 'ls', '-q');
  if (volumes !== '') await instance.dockerOutput('volume', 'rm', ...volumes.split('\n'));
  const { data, run } = instance.paths;
  const folders = [
    join(data, 'engine/snapshots/layers'),
    join(data, 'engine/snapshots/writable'),
    join(data, 'engine/snapshots/tmp'),
    join(data, 'engine/containers/records'),
    join(data, 'engine/containers/logs'),
    join(data, 'engine/images/images'),
    join(data, 'engine/volumes'),
    join(run, 'engine/c'),
    join(run, 'engine/exits'),
    join(run, 'engine/netns'),
    join(run, 'engine/runc'),
  ];
  for (const folder of folders)
    await eventually(
      `${folder} is empty`,
      () => {
        const left = existsSync(folder)
          ? readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((name) => !name.startsWith('.'))
          : [];
        if (left.length > 0) throw new Error(`left: ${left.join(' ')}`);
        return true;
      },
      15_000,
    );
}
