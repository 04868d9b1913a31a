import assert from 'node:assert/strict';
import { test } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import { Firewall } from '#engine/network/firewall.ts';
import { updateHostFirewall } from '#engine/network/host-firewall.ts';
import { Nft } from '#sys/nft/nft.ts';

import { askTcp, isCutOff, serveTcp } from './peers.ts';
import { hostAddress, lanAddress, openInstance, port, PrivateHost, sandboxRequest, signal } from './private-host.ts';

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
      updateHostFirewall(nft, `slipway-${name}`, [`slip-${name}0`]);
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
  // Any change to the rules finds out; so does the check that runs every ten seconds.
  await networks.open(sandboxRequest('second', { ports: [port(81)] }), signal());
  assert.equal(await askTcp(host.lan, hostAddress, hostPort), `web ${lanAddress}`);
  nft.run('flush ruleset');
  const state = { elements: [{ set: 'bridges', element: '"slip-heal0"' }], bridgeNames: [] };
  const firewall = new Firewall(nft, 'slipway-heal', () => state, silentLogger);
  firewall.heal();
  assert.equal(await isCutOff(host.lan, '172.17.0.2', 80), true, 'the table is there');
});

function comments(nft: Nft, chain: string): readonly string[] {
  return nft
    .list(`list chain ${chain}`)
    .flatMap(({ rule }) => (rule as { comment?: string } | undefined)?.comment ?? [])
    .filter((comment) => comment.startsWith('slipway'));
}
