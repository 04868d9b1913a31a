import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { NetworkDefinition } from '#engine/network/network-definition.ts';
import { portElements } from '#engine/network/publication.ts';
import { networkElements, rulesetText, setChanges } from '#engine/network/ruleset.ts';
import { encodeAttributes, textAttribute } from '#sys/netlink/attributes.ts';
import type { NetlinkSocket } from '#sys/netlink/netlink-socket.ts';
import { Nft, NftError } from '#sys/nft/nft.ts';
import { changeRules, hasTable, listChains, openFilterSocket } from '#sys/nft/rules.ts';
import { changeElements, compileTable, makeTable, removeTable } from '#sys/nft/table.ts';
import { inNetns } from '#sys/netns.ts';

import { Namespaces } from './namespace.ts';

test('a transaction happens wholly or not at all, and nft says what is wrong', () => {
  using namespaces = new Namespaces();
  using nft = inNetns(namespaces.add('host'), () => new Nft());
  nft.run('add table inet t; add set inet t s { type ipv4_addr; }; add element inet t s { 10.0.0.1 }');
  assert.throws(
    () => nft.run('add element inet t s { 10.0.0.2 }\nadd element inet t missing { 10.0.0.3 }'),
    (error) => error instanceof NftError && error.message.includes('missing'),
  );
  const sets = nft.list('list table inet t').map((object) => object['set'] as { elem?: unknown } | undefined);
  assert.deepEqual(sets.find((set) => set !== undefined)?.elem, ['10.0.0.1']);
  assert.throws(() => nft.run('gibberish'), NftError);
  nft.run('delete table inet t');
  assert.deepEqual(
    nft.list('list tables').filter((object) => 'table' in object),
    [],
  );
});

test('a table compiled apart is the same table where it is made, with its elements', () => {
  using namespaces = new Namespaces();
  const text = rulesetText('compiled', true);
  const network = { ...bridgeNetwork, bridgeName: 'sb-1' };
  const port = { containerPort: 80, protocol: 'sctp', hostPort: 8080 } as const;
  const family = { endpointId: '', mode: 'nat', trusted: ['up-1'], binding: '' } as const;
  const target = { ipv4: { ...family, address: '10.9.0.2' }, ipv6: { ...family, address: 'fd09::2' } };
  const elements = [
    ...networkElements(network),
    ...['0.0.0.0', '127.0.0.1', '::', 'fd01::1'].flatMap((hostIp) => portElements({ ...port, hostIp }, target)),
  ];
  const made = inNetns(namespaces.add('made'), () => {
    using socket = openFilterSocket();
    const table = compileTable(text);
    makeTable(socket, table, setChanges(elements), { replace: false });
    makeTable(socket, table, setChanges(elements), { replace: true });
    using nft = new Nft();
    const before = listing(nft, 'compiled');
    const more = setChanges(portElements({ ...port, protocol: 'tcp', hostIp: '::', hostPort: 0 }, target));
    changeElements(socket, table, 'add', more);
    changeElements(socket, table, 'remove', more);
    assert.throws(() => changeElements(socket, table, 'remove', more), { code: 'ENOENT' });
    assert.equal(listing(nft, 'compiled'), before);
    return before;
  });
  const written = inNetns(namespaces.add('written'), () => {
    using nft = new Nft();
    nft.run(text);
    for (const { set, key, data } of elements) {
      const fields = (list: readonly (string | number)[]): string => list.join(' . ');
      const tail = data === undefined ? '' : ` : ${fields(data)}`;
      nft.run(`add element inet compiled ${set} { ${fields(key)}${tail} }`);
    }
    return listing(nft, 'compiled');
  });
  assert.equal(made, written);
});

/** What newer versions of nftables write hurts older ones of the library as soon as they look around. */
test('tables of others may hold what the library here does not know', () => {
  using namespaces = new Namespaces();
  inNetns(namespaces.add('strange'), () => {
    using socket = openFilterSocket();
    addStrangeTable(socket);
    const table = compileTable(rulesetText('beside', false));
    const changes = setChanges(networkElements({ ...bridgeNetwork, bridgeName: 'sb-2' }));
    makeTable(socket, table, changes, { replace: true });
    changeElements(socket, table, 'remove', changes);
    assert.ok(hasTable(socket, 'inet', 'beside') && hasTable(socket, 'inet', 'strange'));
    removeTable(socket, 'inet', 'beside');
    removeTable(socket, 'inet', 'beside');
    assert.ok(!hasTable(socket, 'inet', 'beside'));
    assert.deepEqual(listChains(socket), []);
  });
});

const bridgeNetwork: NetworkDefinition = {
  id: 'a'.repeat(64),
  name: 'test',
  driver: 'bridge',
  createdAtMs: 0,
  subnets: [
    { subnet: '10.9.0.0/24', gateway: '10.9.0.1' },
    { subnet: 'fd09::/64', gateway: 'fd09::1' },
  ],
  internal: false,
  enableIPv6: true,
  labels: {},
  options: {},
  bridgeName: '',
};

/** A set whose key is said to be of an expression that no version knows. */
function addStrangeTable(socket: NetlinkSocket): void {
  const inet = Buffer.of(1, 0, 0, 0);
  const u32 = (type: number, value: number): { type: number; value: Buffer } => ({
    type,
    value: Buffer.of(0, 0, 0, value),
  });
  const names = encodeAttributes([textAttribute(1, 'strange'), textAttribute(2, 'set')]);
  const expression = [0, 4, 99, 0, 0, 0, 1, 2, 0, 0];
  const userData = Buffer.of(0, 4, 2, 0, 0, 0, 4, expression.length, ...expression);
  const set = encodeAttributes([u32(4, 7), u32(5, 4), u32(10, 1), { type: 13, value: userData }]);
  const [newTable, newSet] = [0x0a00, 0x0a09];
  changeRules(socket, [
    { request: 'table', type: newTable, flags: 0x400, payload: Buffer.concat([inet, names.subarray(0, 12)]) },
    { request: 'set', type: newSet, flags: 0x400, payload: Buffer.concat([inet, names, set]) },
  ]);
}

function listing(nft: Nft, table: string): string {
  const objects = nft.list(`list table inet ${table}`).map((object) => JSON.stringify(object));
  return objects.join('\n').replaceAll(/"handle": ?\d+/g, '');
}
