import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { eventually } from './eventually.ts';
import { makeRoot, type Owner } from './temp-root.ts';
import { toolPath } from './tools.ts';

export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
}

const triesMost = 5;

/** Starts Debian's docker-registry on a free loopback port, with an empty store that goes with the test. */
export async function startRegistry(owner: Owner): Promise<Registry> {
  const folder = makeRoot();
  const owned = new AsyncDisposableStack();
  owned.defer(() => rmSync(folder, { recursive: true, force: true }));
  owner.after(() => owned.disposeAsync());
  for (let attempt = 1; attempt <= triesMost; attempt += 1) {
    const address = `127.0.0.1:${String(await freePort())}`;
    // The port may be taken between our look and the registry's start.
    if (await serves(address, folder, owned)) return { address };
  }
  throw new Error('docker-registry does not start');
}

async function serves(address: string, folder: string, owned: AsyncDisposableStack): Promise<boolean> {
  const configFile = join(folder, 'config.yml');
  writeFileSync(configFile, configuration(join(folder, 'store'), address));
  const child = spawn(toolPath('docker-registry'), ['serve', configFile], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  owned.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const state = await eventually('the registry answers', async () => {
    if (child.exitCode !== null) return 'ended';
    const response = await fetch(`http://${address}/v2/`);
    await response.arrayBuffer();
    return response.ok && 'answers';
  });
  return state === 'answers';
}

function configuration(store: string, address: string): string {
  return [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${store} }, delete: { enabled: true } }`,
    `http: { addr: "${address}" }`,
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
