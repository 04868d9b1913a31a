import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { sleep } from '#base/clock.ts';
import { createLogger } from '#base/logger.ts';
import { openNetworks } from '#engine/network/open-networks.ts';
import { removeKernelState } from '#engine/network/remove-kernel-state.ts';
import { eventually } from '../../kit/eventually.ts';
import { bindInetSocket } from '#sys/inet-socket.ts';
import { listLinks } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { Nft } from '#sys/nft/nft.ts';

import { encodeQuery, readReply } from './dns-wire.ts';
import { askTcp, askUdp, serveTcp, serveUdp } from './peers.ts';
import {
  hostAddress,
  ip,
  lanAddress,
  openInstance,
  PrivateHost,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

test('after kill -9, running containers are served as before and the dead ones are gone', async (t) => {
  const options = host.instance('settle');
  const child = await startChild(t, 'settle', options);
  await kill(child);
  const [kept, dead] = [sandboxRequest('kept').containerId, sandboxRequest('dead').containerId];
  await using networks = await openInstance(options);
  const before = networks.sandbox(kept);
  const hostPort = before?.ports[0]?.hostPort ?? 0;
  using _web = serveTcp(before?.netnsPath, 80, 'kept');
  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `kept ${lanAddress}`, 'before anybody reconciled');
  await networks.reconcile(new Set([kept]), signal());
  assert.deepEqual(networks.sandbox(kept), before);
  assert.equal(networks.sandbox(dead), undefined);
  assert.deepEqual(readdirSync(join(options.runDir, 'netns')), [kept]);
  assert.deepEqual(elements('slipway-settle', 'published').length, 2);

  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `kept ${lanAddress}`);
  assert.match(await askTcp(undefined, '::1', hostPort), /^kept /);
  const udpPort = before?.ports.find(({ protocol }) => protocol === 'udp')?.hostPort ?? 0;
  using _udp = serveUdp(before?.netnsPath, 53, 'kept');
  assert.match((await askUdp(host.lan, hostAddress, udpPort)).toString(), /^kept /);
  assert.throws(() => bindInetSocket('tcp', ip('0.0.0.0'), hostPort), { code: 'EADDRINUSE' });
  const fresh = await networks.open(sandboxRequest('fresh', { endpoints: [{ network: 'boards' }] }), signal());
  assert.notEqual(fresh.endpoints[0]?.ipv4Address, before?.endpoints[0]?.ipv4Address);
  for (const { netnsPath } of [before, fresh].filter((sandbox) => sandbox !== undefined)) {
    const reply = await askUdp(netnsPath, '127.0.0.11', 53, encodeQuery('kept', 'A'));
    assert.deepEqual(readReply(reply), { code: 0, answers: [before?.endpoints[0]?.ipv4Address] });
  }
  await networks.connect(kept, { network: 'bridge' }, signal());
  await networks.close(kept);
});

test('killed at any instant, nothing is left half-made', async (t) => {
  const options = host.instance('churn');
  using socket = openRouteSocket();
  const before = listLinks(socket).length;
  for (let round = 0; round < 6; round += 1) {
    const child = await startChild(t, 'churn', options);
    await sleep(17 * round, signal());
    await kill(child);
  }
  const lines: string[] = [];
  const logger = createLogger({ level: 'error', format: 'json', write: (line) => lines.push(line) });
  const networks = await openNetworks({ ...options, logger }, signal());
  await networks.reconcile(new Set(), signal());
  assert.deepEqual(lines, []);
  assert.deepEqual(readdirSync(join(options.runDir, 'netns')), []);
  assert.deepEqual(readdirSync(join(options.runDir, 'network')), []);
  for (const map of ['published', 'published6']) assert.deepEqual(elements('slipway-churn', map), []);
  const bridges = networks.list().filter(({ driver }) => driver === 'bridge');
  assert.equal(elements('slipway-churn', 'bridges').length, bridges.length);
  for (const { name } of bridges) if (name !== 'bridge') await networks.remove(name, signal());
  const last = await networks.open(sandboxRequest('last'), signal());
  assert.equal(last.endpoints[0]?.ipv4Address, '172.17.0.2', 'no address is lost');
  await networks[Symbol.asyncDispose]();
  removeKernelState(options);
  await eventually('the links are as before', () => listLinks(socket).length === before);
});

async function startChild(t: TestContext, mode: string, options: object): Promise<ChildProcess> {
  const { dataDir, runDir, instance, etcDir } = options as Record<string, string>;
  const script = join(import.meta.dirname, 'crash-child.ts');
  const child = spawn(process.execPath, [script, mode, JSON.stringify({ dataDir, runDir, instance, etcDir })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const failed = once(child, 'exit').then(() => assert.fail(`the ${mode} child ended by itself`));
  await Promise.race([once(child.stdout, 'data'), failed]);
  failed.catch(() => {});
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function elements(table: string, set: string): readonly unknown[] {
  using nft = new Nft();
  for (const object of nft.list(`list table inet ${table}`)) {
    const found = (object['map'] ?? object['set']) as { name: string; elem?: unknown[] } | undefined;
    if (found?.name === set) return found.elem ?? [];
  }
  return [];
}
