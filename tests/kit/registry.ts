import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';

import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { makeRoot, type Owner } from './temp-root.ts';
import { toolPath } from './tools.ts';

export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Folder of its store. */
  readonly storePath: string;
  /** Ends it before its test does. */
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Lines of an htpasswd file (bcrypt): who may log in. Without it everybody may do everything. */
  readonly htpasswd?: string;
  /** Paths of a certificate and its key: it speaks TLS then. */
  readonly tls?: {
    readonly certificatePath: string;
    readonly keyPath: string;
    /** Of authorities: clients must show a certificate of theirs. */
    readonly clientAuthoritiesPath?: string;
  };
}

const triesMost = 5;

/** Starts Debian's docker-registry on a free loopback port, with an empty store that goes with the test. */
export async function startRegistry(owner: Owner, options: RegistryOptions = {}): Promise<Registry> {
  const folder = makeRoot();
  const owned = new AsyncDisposableStack();
  owned.defer(() => rmSync(folder, { recursive: true, force: true }));
  owner.after(() => owned.disposeAsync());
  for (let attempt = 1; attempt <= triesMost; attempt += 1) {
    const address = `127.0.0.1:${String(await freePort())}`;
    // The port may be taken between our look and the registry's start.
    if (await serves(address, folder, options, owned))
      return { address, storePath: join(folder, 'store'), stop: () => owned.disposeAsync() };
  }
  throw new Error('docker-registry does not start');
}

async function serves(
  address: string,
  folder: string,
  options: RegistryOptions,
  owned: AsyncDisposableStack,
): Promise<boolean> {
  const configFile = join(folder, 'config.yml');
  writeFileSync(join(folder, 'htpasswd'), options.htpasswd ?? '');
  writeFileSync(configFile, configuration(folder, address, options));
  const child = spawn(toolPath('docker-registry'), ['serve', configFile], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  owned.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const state = await eventually('the registry answers', async () => {
    if (child.exitCode !== null) return 'ended';
    return (await answers(address, options.tls !== undefined)) && 'answers';
  });
  return state === 'answers';
}

function configuration(folder: string, address: string, { htpasswd, tls }: RegistryOptions): string {
  const clients = tls?.clientAuthoritiesPath === undefined ? '' : `, clientcas: [${tls.clientAuthoritiesPath}]`;
  const certificate =
    tls === undefined ? '' : `, tls: { certificate: ${tls.certificatePath}, key: ${tls.keyPath}${clients} }`;
  return [
    'version: 0.1',
    'log: { level: error }',
    `storage: { filesystem: { rootdirectory: ${join(folder, 'store')} }, delete: { enabled: true } }`,
    `http: { addr: "${address}"${certificate} }`,
    ...(htpasswd === undefined ? [] : [`auth: { htpasswd: { realm: test, path: ${join(folder, 'htpasswd')} } }`]),
    '',
  ].join('\n');
}

/** Whether there is an HTTP answer of any kind. */
async function answers(address: string, tls: boolean): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const url = `${tls ? 'https' : 'http'}://${address}/v2/`;
  const request = tls ? httpsGet(url, { rejectUnauthorized: false, agent: false }) : httpGet(url, { agent: false });
  request.on('response', (response) => {
    response.resume();
    resolve(true);
  });
  // One that wants to see a certificate is there as well.
  request.on('error', (error: NodeJS.ErrnoException) =>
    tls && error.code !== 'ECONNREFUSED' ? resolve(true) : reject(error),
  );
  return await promise;
}
