import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { StatusError } from '#base/errors.ts';
import type { Networks } from '#engine/network/networks.ts';
import type { NetworksOptions } from '#engine/network/open-networks.ts';
import { listAddresses } from '#sys/netlink/interface-address.ts';
import { findLink, listLinks } from '#sys/netlink/link.ts';
import { openRouteSocket } from '#sys/netlink/netlink-socket.ts';
import { listRoutes } from '#sys/netlink/route.ts';
import { inNetns } from '#sys/netns.ts';
import { Nft } from '#sys/nft/nft.ts';
import { formatAddress } from '#formats/ip-address.ts';

import { openInstance, port, PrivateHost, sandboxRequest, signal } from '../../kit/private-host.ts';

const host = new PrivateHost();
process.on('exit', () => host[Symbol.dispose]());

/** Few names, so that operations meet. */
const network = fc.constantFrom('bridge', 'n1', 'n2', 'n3');
const container = fc.constantFrom('c1', 'c2', 'c3');
type Step = (networks: Networks) => Promise<unknown>;

const idOf = (name: string): string => sandboxRequest(name).containerId;
const steps = fc.oneof(
  fc.tuple(network, fc.boolean()).map(
    ([name, internal]): Step =>
      (networks) =>
        networks.create({ name, internal }, signal()),
  ),
  network.map(
    (name): Step =>
      (networks) =>
        networks.remove(name, signal()),
  ),
  fc
    .tuple(container, fc.uniqueArray(network, { minLength: 1, maxLength: 3 }), fc.nat({ max: 2 }))
    .map(([name, names, count]): Step => (networks) => {
      const endpoints = names.map((one) => ({ network: one }));
      const ports = Array.from({ length: count }, (_, index) => port(80 + index));
      return networks.open(sandboxRequest(name, { endpoints, ports }), signal());
    }),
  container.map(
    (name): Step =>
      (networks) =>
        networks.close(idOf(name)),
  ),
  fc.tuple(container, network).map(
    ([name, one]): Step =>
      (networks) =>
        networks.connect(idOf(name), { network: one }, signal()),
  ),
  fc.tuple(container, network).map(
    ([name, one]): Step =>
      (networks) =>
        networks.disconnect(idOf(name), one, signal()),
  ),
  container.map(
    (name): Step =>
      (networks) =>
        networks.rename(idOf(name), `${name}-renamed`),
  ),
  fc.uniqueArray(container).map(
    (names): Step =>
      (networks) =>
        networks.reconcile(new Set(names.map(idOf)), signal()),
  ),
);

test('whatever is done in whatever order, the kernel has what we say and nothing else', async () => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 18 }), async (list) => {
      round += 1;
      const options = host.instance(`m${String(round)}`);
      await using networks = await openInstance(options);
      for (const step of list) {
        try {
          await step(networks);
        } catch (error) {
          // Most steps are sometimes impossible; only a reason that a user can act on may come out.
          if (!(error instanceof StatusError)) throw error;
        }
        await check(networks, options);
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

async function check(networks: Networks, options: NetworksOptions): Promise<void> {
  using socket = openRouteSocket();
  using nft = new Nft();
  const sandboxes = ['c1', 'c2', 'c3'].map((name) => networks.sandbox(idOf(name))).filter((one) => one !== undefined);
  const endpoints = sandboxes.flatMap((sandbox) => sandbox.endpoints);
  const bridges = networks.list().filter(({ driver }) => driver === 'bridge');
  assert.deepEqual(
    bridges.flatMap((one) => one.endpoints.map(({ endpointId }) => endpointId)).toSorted(),
    endpoints.map(({ endpointId }) => endpointId).toSorted(),
  );
  assert.deepEqual(
    readdirSync(join(options.runDir, 'netns')).toSorted(),
    sandboxes.map(({ containerId }) => containerId).toSorted(),
  );
  for (const { bridgeName } of bridges) assert.equal(findLink(socket, bridgeName)?.up, true);
  const table = tableOf(nft, options.instance);
  assert.deepEqual(table.bridges, bridges.map(({ bridgeName }) => bridgeName).toSorted());
  const ports = sandboxes.flatMap((sandbox) => sandbox.ports.filter(({ hostIp }) => hostIp === '0.0.0.0'));
  assert.deepEqual(
    table.ports,
    ports.map(({ hostPort }) => hostPort).toSorted((one, other) => one - other),
  );
  const linked = new Set(listLinks(socket).map(({ name }) => name));
  for (const { endpointId } of endpoints) assert.ok(linked.has(`sv-${endpointId.slice(0, 12)}`));
  for (const sandbox of sandboxes) checkInside(sandbox);
}

function checkInside({ netnsPath = '', endpoints, ports, files }: NonNullable<ReturnType<Networks['sandbox']>>): void {
  using inner = inNetns(netnsPath, () => openRouteSocket());
  const names = listLinks(inner).map(({ name }) => name);
  assert.deepEqual(names.toSorted(), ['lo', ...endpoints.map(({ interfaceName }) => interfaceName)].toSorted());
  const addresses = new Set(listAddresses(inner).map(({ address }) => formatAddress(address)));
  for (const { ipv4Address } of endpoints) {
    assert.ok(addresses.has(ipv4Address));
    assert.ok(files.hosts.includes(ipv4Address));
  }
  const gateways = endpoints.filter(({ ipv4Gateway }) => ipv4Gateway !== '');
  const wanted = gateways.toSorted((one, other) => (one.networkName < other.networkName ? -1 : 1))[0];
  const defaults = listRoutes(inner).filter(({ destination }) => destination.length === 0);
  assert.deepEqual(
    defaults.map(({ gateway }) => gateway && formatAddress(gateway)),
    wanted === undefined ? [] : [wanted.ipv4Gateway],
  );
  if (wanted === undefined) assert.deepEqual(ports, []);
  const named = endpoints.some(({ networkName }) => networkName !== 'bridge');
  assert.equal(files.resolvConf.includes('nameserver 127.0.0.11'), named);
}

function tableOf(
  nft: Nft,
  instance: string,
): { readonly bridges: readonly string[]; readonly ports: readonly number[] } {
  const objects = nft.list(`list table inet slipway-${instance}`);
  const elements = (kind: 'set' | 'map', name: string): readonly unknown[] =>
    objects
      .map((object) => object[kind] as { readonly name?: string; readonly elem?: readonly unknown[] } | undefined)
      .find((one) => one?.name === name)?.elem ?? [];
  const published = elements('map', 'published') as readonly (readonly [
    { concat: readonly [string, number] },
    unknown,
  ])[];
  return {
    bridges: (elements('set', 'bridges') as readonly string[]).toSorted(),
    ports: published.map(([key]) => key.concat[1]).toSorted((one, other) => one - other),
  };
}
