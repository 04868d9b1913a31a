import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ExposedRow } from '#cli/exposed/exposed-rows.ts';
import { eventually } from '../../kit/eventually.ts';
import { startInstance } from '../../kit/instance.ts';

test('what can be reached is shown with the rule that lets it in', async (t) => {
  const instance = await startInstance(t, { settings: ['engine.publishAddress=127.0.0.1'] });
  await instance.loadBusybox();
  const ports = ['-p', '80', '-p', '0.0.0.0::81/udp'];
  await instance.dockerOutput('run', '-d', '--name', 'web', ...ports, 'busybox', 'sleep', '3600');
  const server = ['nc', '-l', '-p', '0'];
  await instance.dockerOutput('run', '-d', '--name', 'onhost', '--network', 'host', 'busybox', ...server);
  const rows = await eventually('the server listens', async () => {
    const found = JSON.parse((await instance.slipway('exposed', '--json')).stdout) as readonly ExposedRow[];
    return found.some(({ container }) => container === 'onhost') ? found : undefined;
  });
  const tcp = await instance.dockerOutput('port', 'web', '80/tcp');
  const udp = await instance.dockerOutput('port', 'web', '81/udp');
  assert.match(tcp, /^127\.0\.0\.1:\d+$/, 'the setting says where');
  const row = (address: string): string | undefined => {
    const found = rows.find((one) => one.address === address);
    return found && `${found.protocol} ${found.target} ${found.reach}, ${found.rule}`;
  };
  const address = await instance.dockerOutput('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'web');
  assert.equal(row(tcp), `tcp web ${address}:80 this machine, published, by map of nftables`);
  assert.equal(row(udp), `udp web ${address}:81 anywhere, published, by map of nftables`);
  const onHost = rows.filter(({ container }) => container === 'onhost');
  assert.deepEqual(
    onHost.map(({ protocol, reach, rule }) => `${protocol} ${reach}, ${rule}`),
    ['tcp anywhere, listens in the network of the host'],
  );
  assert.ok(rows.some((one) => one.address === instance.paths.dockerSocket && one.protocol === 'unix'));
  const { stdout } = await instance.slipway('exposed');
  assert.match(stdout, /^ADDRESS +LEADS TO +REACHED FROM +BECAUSE +HOST FIREWALL$/m);
  assert.ok(stdout.includes(`${udp}/udp`));
});

test('without a daemon there is nothing to see, and a way to change that', async (t) => {
  const instance = await startInstance(t);
  await instance.stop();
  const { code, stderr } = await instance.slipway('exposed');
  assert.notEqual(code, 0);
  assert.match(stderr, /does not run; start it with slipway up/);
});
