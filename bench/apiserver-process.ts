import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect, type ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';

import { monotonicMs } from '#base/clock.ts';
import type { KeyPair } from '#pki/cluster-pki.ts';

import { daemonEnvironment, daemonFlags } from '#app/daemon-flags.ts';

/** What the server tells of itself when it is asked. */
export interface ServerUsage {
  readonly residentBytes: number;
  /** Of all its threads since its start. */
  readonly cpuMs: number;
}

/** How to reach it, and as whom: `client.json`, which it writes when it is ready. */
interface ClientFile extends KeyPair {
  readonly port: number;
  readonly ca: string;
}

/**
 * The API server of `apiserver-child.ts` in a process of its own, under the words by which `bin/slipway` starts a daemon
 * and with its cache of compiled code. It is killed in the end.
 */
export class ApiServerProcess implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly readyMs: number;

  private constructor(folder: string, child: ChildProcess, readyMs: number) {
    [this.#folder, this.#child, this.readyMs] = [folder, child, readyMs];
  }

  static async start(folder: string): Promise<ApiServerProcess> {
    const startMs = monotonicMs();
    const child = fork(join(import.meta.dirname, 'apiserver-child.ts'), [folder], {
      execArgv: ['--disable-warning=ExperimentalWarning', ...daemonFlags],
      env: { ...process.env, ...daemonEnvironment, NODE_COMPILE_CACHE: join(folder, 'compiled') },
    });
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`the server ended with ${String(code)}`)));
    });
    return new ApiServerProcess(folder, child, monotonicMs() - startMs);
  }

  async usage(): Promise<ServerUsage> {
    const answer = new Promise<unknown>((resolve) => this.#child.once('message', resolve));
    this.#child.send('usage');
    return (await answer) as ServerUsage;
  }

  /** Of its database with the log beside it. */
  storeBytes(): number {
    const store = join(this.#folder, 'store');
    return readdirSync(store).reduce((sum, name) => sum + statSync(join(store, name)).size, 0);
  }

  get url(): string {
    return `https://127.0.0.1:${String(this.#client.port)}`;
  }

  get #client(): ClientFile {
    return JSON.parse(readFileSync(join(this.#folder, 'client.json'), 'utf8')) as ClientFile;
  }

  /** One HTTP/2 connection; as an administrator unless a pair is given. */
  connect(pair?: KeyPair): ClientHttp2Session {
    const { keyPem, certificatePem } = pair ?? this.#client;
    return connect(this.url, { ca: this.#client.ca, key: keyPem, cert: certificatePem });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** One request to its end; returns the body. Throws when the answer is none of success. */
export async function send(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body = '',
  contentType = 'application/json',
): Promise<Buffer> {
  const headers = { ':method': method, ':path': path, 'content-type': contentType };
  const stream = session.request(headers, { endStream: body === '' });
  if (body !== '') stream.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let status = 0;
  stream.on('response', (headers) => (status = Number(headers[':status'])));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    const answer = Buffer.concat(chunks);
    if (status < 300) resolve(answer);
    else reject(new Error(`${method} ${path}: ${String(status)} ${answer.toString()}`));
  });
  stream.on('error', reject);
  return promise;
}
