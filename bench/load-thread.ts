// One end of a load, in a thread that stays in a network namespace: a web server, or clients with connections that last.
import { openSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

import { monotonicMs } from '#base/clock.ts';
import { systemCall } from '#sys/ffi.ts';

interface Load {
  readonly role: 'serve' | 'ask';
  readonly netnsPath: string;
  readonly address: string;
  readonly port: number;
  readonly forMs: number;
}

const connections = 16;
const newNetworkNamespace = 0x40000000;
const load = workerData as Load;
const tell = (message: 'ready' | number): void => parentPort?.postMessage(message, []);
const setns = systemCall('int setns(int fd, int type)');

setns(load.netnsPath, openSync(load.netnsPath, 'r'), newNetworkNamespace);
if (load.role === 'serve') {
  createServer((_request, response) => response.end('hello')).listen(load.port, load.address, () => tell('ready'));
} else {
  tell('ready');
  tell(await requestsPerSecond());
}

async function requestsPerSecond(): Promise<number> {
  using agent = {
    pool: new Agent({ keepAlive: true, maxSockets: connections }),
    [Symbol.dispose]: () => agent.pool.destroy(),
  };
  const startMs = monotonicMs();
  const counts = await Promise.all(
    Array.from({ length: connections }, () => askUntil(agent.pool, startMs + load.forMs)),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((monotonicMs() - startMs) / 1_000);
}

async function askUntil(agent: Agent, endMs: number): Promise<number> {
  let count = 0;
  for (; monotonicMs() < endMs; count += 1) {
    await new Promise((resolve, reject) => {
      const request = get({ host: load.address, port: load.port, agent }, (response) => {
        response.resume().once('end', resolve);
      });
      request.once('error', reject);
    });
  }
  return count;
}
