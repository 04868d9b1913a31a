import assert from 'node:assert/strict';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { updateHostFirewall } from '#engine/network/host-firewall.ts';
import { Nft } from '#sys/nft/nft.ts';
import { openFilterSocket } from '#sys/nft/rules.ts';

import { eventually } from '../../kit/eventually.ts';

import { askTcp, askUdp, isCutOff, serveTcp, serveUdp } from './peers.ts';
import {
  hostAddress,
  lanAddress,
  openInstance,
  port,
  PrivateHost,
  sandboxRequest,
  signal,
} from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

const firewalls = [
  {
    name: 'fwdock',
    what: 'an earlier Docker',
    rules: `table ip filter {
      chain DOCKER-USER { counter return; }
      chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
    }`,
    table: 'ip filter',
    chain: 'ip filter DOCKER-USER',
  },
  {
    name: 'fwtabl',
    what: 'plain iptables',
    rules: 'table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }',
    table: 'ip filter',
    chain: 'ip filter FORWARD',
  },
  {
    name: 'fwnft',
    what: 'a file of nftables',
    rules: `table inet firewall {
      chain forward { type filter hook forward priority filter; policy drop; ct state established accept; }
    }`,
    table: 'inet firewall',
    chain: 'inet firewall forward',
  },
] as const;

for (const { name, what, rules, table, chain } of firewalls) {
  test(`containers pass the firewall of ${what}, which gets its rules back`, async () => {
    using nft = new Nft();
    nft.run(rules);
    const before = comments(nft, chain);
    {
      await using networks = await openInstance(host.instance(name));
      await networks.create({ name: 'more' }, signal());
      for (const network of ['bridge', 'more']) {
        const request = sandboxRequest(network, { endpoints: [{ network }], ports: [port(80)] });
        const { netnsPath, ports } = await networks.open(request, signal());
        using _web = serveTcp(netnsPath, 80, 'web');
        using _lan = serveTcp(host.lan, 80, 'lan');
        assert.match(await askTcp(netnsPath, lanAddress, 80), /^lan /);
        assert.match(await askTcp(host.lan, hostAddress, ports[0]?.hostPort ?? 0), /^web /);
        await networks.close(request.containerId);
      }
      assert.equal(comments(nft, chain).length, before.length + 4);
      using filter = openFilterSocket();
      updateHostFirewall(filter, `slipway-${name}`, [`slip-${name}0`]);
      assert.equal(comments(nft, chain).length, before.length + 2, 'those of a bridge that is gone go');
    }
    assert.deepEqual(comments(nft, chain), before);
    nft.run(`delete table ${table}`);
  });
}

test('a firewall that drops nothing gets no rules', async () => {
  using nft = new Nft();
  nft.run('table ip filter { chain FORWARD { type filter hook forward priority filter; policy accept; }; }');
  await using networks = await openInstance(host.instance('fwopen'));
  await networks.create({ name: 'more' }, signal());
  assert.deepEqual(comments(nft, 'ip filter FORWARD'), []);
  nft.run('delete table ip filter');
});

test('rules that somebody flushed come back', async () => {
  await using networks = await openInstance(host.instance('heal'));
  const { netnsPath, ports } = await networks.open(sandboxRequest('web', { ports: [port(80)] }), signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  const hostPort = ports[0]?.hostPort ?? 0;
  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `web ${lanAddress}`);
  using nft = new Nft();
  nft.run('flush ruleset');
  // Any change to the rules finds out.
  await networks.open(sandboxRequest('second', { ports: [port(81)] }), signal());
  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `web ${lanAddress}`);
  nft.run('flush ruleset');
  // So does a look from time to time.
  await eventually('containers are closed again', () => isCutOff(host.lan, '172.17.0.2', 80));
  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `web ${lanAddress}`);
});

test('firewalld, which refuses by its last rule, lets containers through, also after a reload', async () => {
  using nft = new Nft();
  // As firewalld writes it, shortened.
  const rules = `table inet firewalld {
    chain filter_FORWARD {
      type filter hook forward priority filter + 10; policy accept;
      ct state established,related accept
      ct status dnat accept
      iifname "lo" accept
      ct state invalid drop
      reject with icmpx admin-prohibited
    }
  }`;
  nft.run(rules);
  await using networks = await openInstance(host.instance('fwd'));
  const { netnsPath } = await networks.open(sandboxRequest('web'), signal());
  using _lan = serveTcp(host.lan, 80, 'lan');
  assert.match(await askTcp(netnsPath, lanAddress, 80), /^lan /);
  nft.run(`delete table inet firewalld; ${rules}`);
  await eventually('containers pass the new rules', () => answers(netnsPath, lanAddress, 80));
  nft.run('delete table inet firewalld');
});

test('a table that allows nobody else to change it is left alone, and ours are kept all the same', async () => {
  using owner = new Nft();
  owner.run(`table inet firewalld {
    flags owner
    chain filter_FORWARD { type filter hook forward priority filter + 10; policy drop; }
  }`);
  // Where two firewalls are, the other one gets its exceptions.
  owner.run('table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }');
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  await using networks = await openInstance({ ...host.instance('owned'), logger });
  assert.equal(comments(owner, 'ip filter FORWARD').length, 2);
  const { ports, netnsPath } = await networks.open(sandboxRequest('web', { ports: [port(80)] }), signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  assert.match(await askTcp(undefined, '127.0.0.1', ports[0]?.hostPort ?? 0), /^web /);
  assert.ok(warnings.includes('cannot let containers through the firewall of the host'));
  owner.run('delete table inet firewalld; delete table ip filter');
});

test('a firewall that is respected decides about published ports, of both protocols', async () => {
  using nft = new Nft();
  nft.run(`table inet firewall {
    chain input {
      type filter hook input priority filter; policy drop;
      iifname "lo" accept
      ct state established,related accept
      meta l4proto { icmp, ipv6-icmp } accept
      tcp dport 8081 accept
      udp dport 8081 accept
    }
  }`);
  await using networks = await openInstance({ ...host.instance('respct'), respectHostFirewall: true });
  const ports = [8080, 8081].flatMap((hostPort) =>
    (['tcp', 'udp'] as const).map((protocol) => port(80, { hostPort, protocol })),
  );
  const { netnsPath } = await networks.open(sandboxRequest('web', { ports }), signal());
  const sibling = await networks.open(sandboxRequest('sibling'), signal());
  using _web = serveTcp(netnsPath, 80, 'web');
  using _udp = serveUdp(netnsPath, 80, 'udp');
  assert.equal(await isCutOff(host.lan, hostAddress, 8080), true);
  await assert.rejects(askUdp(host.lan, hostAddress, 8080, Buffer.from('?'), 700), /silence/);
  assert.match(await askTcp(host.lan, hostAddress, 8081), /^web /);
  assert.match((await askUdp(host.lan, hostAddress, 8081)).toString(), /^udp /);
  assert.match(await askTcp(undefined, '127.0.0.1', 8080), /^web /, 'the machine itself is no stranger');
  assert.match(await askTcp(sibling.netnsPath, '172.17.0.1', 8080), /^web /);
  const sctp = sandboxRequest('sctp', { ports: [port(80, { protocol: 'sctp' })] });
  await assert.rejects(networks.open(sctp, signal()), { reason: 'NotSupported', message: /SCTP is not relayed/ });
  nft.run('delete table inet firewall');
});

/** Whether a server answers there now. */
async function answers(place: string | undefined, address: string, hostPort: number): Promise<boolean> {
  return !(await isCutOff(place, address, hostPort).catch(() => true));
}

function comments(nft: Nft, chain: string): readonly string[] {
  return nft
    .list(`list chain ${chain}`)
    .flatMap(({ rule }) => (rule as { comment?: string } | undefined)?.comment ?? [])
    .filter((comment) => comment.startsWith('slipway'));
}
