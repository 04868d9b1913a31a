/**
 * Published ports, on a machine of its own in a network namespace: what one more costs beside a thousand, and requests per
 * second through one beside the container's own address: `node bench/ports.ts`.
 */
import { Worker } from 'node:worker_threads';

import { monotonicMs } from '#base/clock.ts';

import { hostAddress, openInstance, port, PrivateHost, sandboxRequest, signal } from '#kit/private-host.ts';
import { median } from './statistics.ts';

const manyPorts = 1_000;
const measurements = 30;
const rounds = 25;
const roundMs = 400;
const firstPort = 20_000;

using host = new PrivateHost();
await using networks = await openInstance(host.instance('bench'));
const options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected' };
await networks.create({ name: 'open', subnets: [{ subnet: '10.80.0.0/24' }], options }, signal());

console.log(`one more published port: ${(await oneMoreMs()).toFixed(2)} ms beside none`);
const ports = Array.from({ length: manyPorts }, (_, index) => port(80, { hostPort: firstPort + index }));
const request = sandboxRequest('web', { endpoints: [{ network: 'open' }], ports });
const startMs = monotonicMs();
const { netnsPath = '' } = await networks.open(request, signal());
console.log(`${String(manyPorts)} published ports at once: ${(monotonicMs() - startMs).toFixed(0)} ms`);
console.log(`one more published port: ${(await oneMoreMs()).toFixed(2)} ms beside ${String(manyPorts)}`);

const server = await worker({ role: 'serve', netnsPath, address: '0.0.0.0', port: 80 });
const ways = {
  direct: { address: '10.80.0.2', port: 80 },
  published: { address: hostAddress, port: firstPort + manyPorts / 2 },
};
const rates: Record<keyof typeof ways, number[]> = { direct: [], published: [] };
for (let round = 0; round < rounds; round += 1)
  for (const name of ['direct', 'published'] as const) rates[name].push(await requestsPerSecond(ways[name]));
await server.terminate();
// Each published round beside the direct one before it, so that a busy machine disturbs both alike.
const ratios = rates.published.map((rate, round) => rate / (rates.direct[round] ?? Infinity));
const [direct, published] = [median(rates.direct), median(rates.published)];
console.log(`requests per second: direct ${direct.toFixed(0)}, published ${published.toFixed(0)}`);
console.log(`published / direct: ${median(ratios).toFixed(3)} (median of ${String(rounds)} pairs of rounds)`);

/** What a port, on IPv4 and IPv6, adds to the making of a container's network: medians, subtracted. */
async function oneMoreMs(): Promise<number> {
  const times: Record<'with' | 'without', number[]> = { with: [], without: [] };
  for (let index = 0; index < measurements; index += 1)
    for (const kind of ['without', 'with'] as const) {
      const one = sandboxRequest('one', { ports: kind === 'with' ? [port(80)] : [] });
      const before = monotonicMs();
      await networks.open(one, signal());
      times[kind].push(monotonicMs() - before);
      await networks.close(one.containerId);
    }
  return median(times.with) - median(times.without);
}

async function requestsPerSecond(target: { readonly address: string; readonly port: number }): Promise<number> {
  const client = await worker({ role: 'ask', netnsPath: host.lan, ...target, forMs: roundMs });
  const answer = await new Promise<number>((resolve) => client.once('message', resolve));
  await client.terminate();
  return answer;
}

/** Ready when it says so. */
async function worker(data: object): Promise<Worker> {
  const made = new Worker(new URL('load-thread.ts', import.meta.url), { workerData: data });
  await new Promise((resolve, reject) => {
    made.once('message', resolve);
    made.once('error', reject);
  });
  return made;
}
