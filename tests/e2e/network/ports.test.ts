import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { closeInetSocket, bindInetSocket } from '#sys/inet-socket.ts';
import { readSysctl, writeSysctl } from '#sys/sysctl.ts';

import { askTcp, askUdp, isCutOff, serveTcp, serveUdp, udpClient } from './peers.ts';
import {
  hostAddress,
  hostAddress6,
  ip,
  lanAddress,
  openInstance,
  port,
  PrivateHost,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

/** With br_netfilter, bridged packets pass the rules of routed ones too, and redirected ones take another way. */
for (const bridgeNetfilter of ['0', '1']) {
  describe(`with bridge-nf-call-iptables ${bridgeNetfilter}`, () => {
    const path = 'net/bridge/bridge-nf-call-iptables';
    const before = readSysctl(path);
    writeSysctl(path, bridgeNetfilter);
    after(() => writeSysctl(path, before ?? '0'));

    test('a published port is reached from everywhere', async () => {
      writeSysctl(path, bridgeNetfilter);
      await using networks = await openInstance(host.instance(`every${bridgeNetfilter}`));
      await networks.create({ name: 'other' }, signal());
      const web = await networks.open(sandboxRequest('web', { ports: [port(5000)] }), signal());
      const sibling = await networks.open(sandboxRequest('sibling'), signal());
      const stranger = await networks.open(sandboxRequest('stranger', { endpoints: [{ network: 'other' }] }), signal());
      const [v4, v6] = web.ports;
      assert.deepEqual([v4?.hostIp, v6?.hostIp, v4?.containerPort], ['0.0.0.0', '::', 5000]);
      assert.equal(v4?.hostPort, v6?.hostPort, 'the same port for both families');
      const hostPort = v4?.hostPort ?? 0;
      using _server = serveTcp(web.netnsPath, 5000, 'web');
      const gateway = '172.17.0.1';
      assert.equal(await askTcp(host.lan, hostAddress, hostPort), `web ${lanAddress}`, 'the client keeps its address');
      assert.equal(await askTcp(undefined, '127.0.0.1', hostPort), `web ${gateway}`);
      assert.equal(await askTcp(undefined, hostAddress, hostPort), `web ${hostAddress}`);
      assert.equal(await askTcp(undefined, gateway, hostPort), `web ${gateway}`);
      assert.equal(await askTcp(undefined, '::1', hostPort), `web ${gateway}`);
      assert.equal(await askTcp(host.lan, hostAddress6, hostPort), `web ${gateway}`);
      assert.equal(await askTcp(web.netnsPath, hostAddress, hostPort), `web ${gateway}`, 'hairpin');
      assert.equal(await askTcp(web.netnsPath, gateway, hostPort), `web ${gateway}`, 'hairpin by the gateway');
      assert.equal(await askTcp(sibling.netnsPath, hostAddress, hostPort), `web ${gateway}`);
      assert.equal(await askTcp(stranger.netnsPath, hostAddress, hostPort), `web ${gateway}`);
      assert.equal(await isCutOff(host.lan, '172.17.0.2', 5000), true, 'not past the published port');
      await networks.close(web.containerId);
      await assert.rejects(askTcp(host.lan, hostAddress, hostPort), /ECONNREFUSED/);
    });
  });
}

test('datagrams are published like connections, and old flows do not stick', async () => {
  await using networks = await openInstance(host.instance('udp'));
  using client = udpClient(host.lan, 4);
  const hostPort = freePort();
  const ports = [port(53, { protocol: 'udp', hostPort })];
  await assert.rejects(client.ask(hostAddress, hostPort, Buffer.from('early'), 300), /silence/);
  const first = await networks.open(sandboxRequest('first', { ports }), signal());
  {
    using _server = serveUdp(first.netnsPath, 53, 'first');
    assert.equal((await client.ask(hostAddress, hostPort)).toString(), `first ${lanAddress}`);
    assert.match((await askUdp(undefined, '127.0.0.1', hostPort)).toString(), /^first /);
    assert.match((await askUdp(undefined, '::1', hostPort)).toString(), /^first /);
    assert.match((await askUdp(host.lan, hostAddress6, hostPort)).toString(), /^first /);
    assert.match((await askUdp(first.netnsPath, hostAddress, hostPort)).toString(), /^first /);
  }
  await networks.open(sandboxRequest('keeps the address'.replaceAll(' ', '-')), signal());
  await networks.close(first.containerId);
  await networks.open(sandboxRequest('squatter'), signal());
  const second = await networks.open(sandboxRequest('second', { ports }), signal());
  assert.notEqual(second.endpoints[0]?.ipv4Address, first.endpoints[0]?.ipv4Address);
  using _server = serveUdp(second.netnsPath, 53, 'second');
  assert.match((await client.ask(hostAddress, hostPort)).toString(), /^second /, 'the same client, the same port');
});

test('a port on one address of the host is only there', async () => {
  await using networks = await openInstance(host.instance('on'));
  const local = await networks.open(sandboxRequest('local', { ports: [port(80, { hostIp: '127.0.0.1' })] }), signal());
  const outer = await networks.open(sandboxRequest('outer', { ports: [port(80, { hostIp: hostAddress })] }), signal());
  const six = await networks.open(sandboxRequest('six', { ports: [port(80, { hostIp: '::1' })] }), signal());
  using _local = serveTcp(local.netnsPath, 80, 'local');
  using _outer = serveTcp(outer.netnsPath, 80, 'outer');
  using _six = serveTcp(six.netnsPath, 80, 'six');
  const portOf = ({ ports }: typeof local): number => ports[0]?.hostPort ?? 0;
  assert.deepEqual([local.ports.length, outer.ports.length, six.ports.length], [1, 1, 1]);
  assert.match(await askTcp(undefined, '127.0.0.1', portOf(local)), /^local /);
  await assert.rejects(askTcp(host.lan, hostAddress, portOf(local)), /ECONNREFUSED/);
  assert.match(await askTcp(host.lan, hostAddress, portOf(outer)), /^outer /);
  await assert.rejects(askTcp(undefined, '127.0.0.1', portOf(outer)), /ECONNREFUSED/);
  assert.match(await askTcp(undefined, '::1', portOf(six)), /^six /);
});

test('a taken port is refused in the words of Docker, whoever has it', async () => {
  await using networks = await openInstance(host.instance('taken'));
  const program = bindInetSocket('tcp', ip('0.0.0.0'), 0);
  const wanted = sandboxRequest('unlucky', { ports: [port(5000, { hostPort: program.port })] });
  await assert.rejects(networks.open(wanted, signal()), (error: Error & { reason?: string }) => {
    const place = String.raw`0\.0\.0\.0:${String(program.port)}:172\.17\.0\.2:5000/tcp`;
    assert.match(
      error.message,
      new RegExp(
        `^driver failed programming external connectivity on endpoint unlucky \\([0-9a-f]{64}\\): failed to bind host port for ${place}: address already in use$`,
      ),
    );
    return error.reason === 'Busy';
  });
  closeInetSocket(program);
  const lucky = await networks.open(wanted, signal());
  assert.throws(() => bindInetSocket('tcp', ip('0.0.0.0'), program.port), { code: 'EADDRINUSE' });
  assert.throws(() => bindInetSocket('tcp', ip('127.0.0.1'), program.port), { code: 'EADDRINUSE' });
  await assert.rejects(networks.open({ ...wanted, ...sandboxRequest('second', { ports: wanted.ports }) }, signal()), {
    reason: 'Busy',
  });
  await networks.close(lucky.containerId);
  closeInetSocket(bindInetSocket('tcp', ip('0.0.0.0'), program.port));
  const absent = sandboxRequest('absent', { ports: [port(80, { hostIp: '203.0.113.7' })] });
  await assert.rejects(networks.open(absent, signal()), {
    reason: 'InvalidArgument',
    message: /cannot assign requested address/,
  });
});

test('a range gives its first free port, and ports without a wish differ', async () => {
  await using networks = await openInstance(host.instance('range'));
  const program = bindInetSocket('tcp', ip('0.0.0.0'), 0);
  const range = [port(80, { hostPort: program.port, hostPortEnd: Math.min(program.port + 50, 65_535) })];
  const one = await networks.open(sandboxRequest('one', { ports: range }), signal());
  const two = await networks.open(sandboxRequest('two', { ports: range }), signal());
  const free = await networks.open(sandboxRequest('free', { ports: [port(80), port(81), port(82)] }), signal());
  closeInetSocket(program);
  const all = [one, two, free].flatMap(({ ports }) => ports.filter(({ hostIp }) => hostIp === '0.0.0.0'));
  const numbers = all.map(({ hostPort }) => hostPort);
  assert.equal(new Set([program.port, ...numbers]).size, 6);
  assert.ok(numbers.slice(0, 2).every((number) => number > program.port && number <= program.port + 50));
});

test('an IPv6 network publishes with the addresses of its clients, and leaves by the host', async () => {
  await using networks = await openInstance(host.instance('six'));
  const subnets = [{ subnet: 'fd52::/64' }, { subnet: '10.123.0.0/24' }];
  const network = await networks.create({ name: 'six', enableIPv6: true, subnets }, signal());
  assert.deepEqual(
    network.subnets.map(({ gateway }) => gateway),
    ['10.123.0.1', 'fd52::1'],
  );
  const request = sandboxRequest('web', { endpoints: [{ network: 'six', ipv6Address: 'fd52::9' }], ports: [port(80)] });
  const web = await networks.open(request, signal());
  const other = await networks.open(sandboxRequest('other', { endpoints: [{ network: 'six' }] }), signal());
  const hostPort = web.ports[0]?.hostPort ?? 0;
  using _four = serveTcp(web.netnsPath, 80, 'four');
  using _six = serveTcp(web.netnsPath, 80, 'six', '::');
  using _lan = serveTcp(host.lan, 80, 'lan', '::');
  assert.equal(await askTcp(host.lan, hostAddress6, hostPort), 'six fd51::2');
  assert.match(await askTcp(undefined, '::1', hostPort), /^(four|six) /);
  assert.equal(await askTcp(other.netnsPath, 'fd52::9', 80), 'six fd52::2');
  assert.equal(await askTcp(web.netnsPath, 'fd51::2', 80), `lan ${hostAddress6}`);
  assert.match(await askTcp(web.netnsPath, hostAddress6, hostPort), /^six fd52::1$/, 'hairpin');
  assert.equal(await isCutOff(host.lan, 'fd52::9', 80), true);
  assert.ok(web.files.hosts.includes('fd52::9\tweb\n'));
});

/** A port that was free a moment ago; nothing else runs on this machine. */
function freePort(): number {
  const socket = bindInetSocket('udp', ip('0.0.0.0'), 0);
  closeInetSocket(socket);
  return socket.port;
}

test('SCTP ports are published where the kernel has SCTP, and refused with a way out where not', async () => {
  await using networks = await openInstance(host.instance('sctp'));
  const request = sandboxRequest('signals', { ports: [port(3868, { protocol: 'sctp' })] });
  const opened = await networks.open(request, signal()).catch((error: unknown) => error);
  if (opened instanceof Error) {
    assert.match(
      opened.message,
      /^Cannot publish port 3868\/sctp: this machine's kernel has no SCTP; load module sctp/,
    );
    assert.equal(networks.sandbox(request.containerId), undefined);
  } else {
    assert.deepEqual(networks.sandbox(request.containerId)?.ports.length, 2);
  }
});
