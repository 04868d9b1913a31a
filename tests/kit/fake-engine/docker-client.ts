import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newId } from '#base/ids.ts';
import { silentLogger } from '#base/logger.ts';
import type { Role } from '#docker/policy/role.ts';
import { serveDocker } from '#docker/serve-docker.ts';

import { FakeEngine } from './fake-engine.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: unknown;
}

export interface Hijacked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
  /** Everything until the server ends. */
  readonly output: Promise<Buffer>;
}

interface Owner {
  after(work: () => Promise<void>): void;
}

/** The Docker API of a fake engine on a real socket in a folder of its own, and a client to it. */
export class DockerClient {
  readonly engine: FakeEngine;
  readonly socketPath: string;

  readonly #owner: Owner;

  constructor(engine: FakeEngine, socketPath: string, owner: Owner) {
    this.#owner = owner;
    this.engine = engine;
    this.socketPath = socketPath;
  }

  static async start(owner: Owner): Promise<DockerClient> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-docker-'));
    const engine = new FakeEngine(folder);
    const socketPath = join(folder, 'd.sock');
    const server = await serveDocker(
      { engine: engine.asEngine(), socketPath, logger: silentLogger, versionInfo: { version: '1.2.3' } },
      new AbortController().signal,
    );
    owner.after(async () => {
      await engine[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });
    return new DockerClient(engine, socketPath, owner);
  }

  /** A client with a socket for a role, to the same engine. */
  async as(role: Role): Promise<DockerClient> {
    const path = `${this.socketPath}.${newId().slice(0, 6)}`;
    const server = await serveDocker(
      {
        engine: this.engine.asEngine(),
        socketPath: `${path}.main`,
        sockets: [{ path, role, mode: 0o600, group: undefined }],
        logger: silentLogger,
        versionInfo: { version: '1.2.3' },
      },
      new AbortController().signal,
    );
    this.#owner.after(async () => server[Symbol.asyncDispose]());
    return new DockerClient(this.engine, path, this.#owner);
  }

  /** Sends a request and reads the whole answer. An object as body goes as JSON. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return await readAnswer(await this.open(method, path, body, headers));
  }

  /** Sends a request and resolves at the answer's head. */
  async open(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const payload = body === undefined ? undefined : raw ? body : JSON.stringify(body);
    const type = payload === undefined || raw ? {} : { 'Content-Type': 'application/json' };
    const request = httpRequest({ socketPath: this.socketPath, method, path, headers: { ...type, ...headers } });
    const answer = once(request, 'response') as Promise<[IncomingMessage]>;
    // A server that answers early may close before the whole body has left.
    request.on('error', () => {});
    request.end(payload);
    return (await answer)[0];
  }

  /** Sends a request that asks for the raw connection. */
  async hijack(path: string, body?: unknown): Promise<Hijacked | Answer> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const request = httpRequest({
      socketPath: this.socketPath,
      method: 'POST',
      path,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'tcp',
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(payload)),
      },
    });
    const upgrade = once(request, 'upgrade') as Promise<[IncomingMessage, Socket, Buffer]>;
    const plain = once(request, 'response') as Promise<[IncomingMessage]>;
    for (const promise of [upgrade, plain]) promise.catch(() => {});
    request.end(payload);
    const first = await Promise.race([upgrade, plain]);
    const [response, socket, head] = first as [IncomingMessage, Socket | undefined, Buffer | undefined];
    if (socket === undefined) return await readAnswer(response);
    return { status: response.statusCode ?? 0, headers: response.headers, socket, output: readSocket(socket, head) };
  }

  /** Creates a container of the image `fake` that runs `args`; returns its ID. */
  async create(args: readonly string[], body: object = {}, query = ''): Promise<string> {
    if (this.engine.images.find('fake') === undefined) this.engine.images.offer('fake:latest', {});
    const answer = await this.call('POST', `/containers/create${query}`, { Image: 'fake', Cmd: args, ...body });
    if (answer.status !== 201) throw new Error(`create answered ${String(answer.status)} ${answer.text}`);
    return (answer.body as { Id: string }).Id;
  }

  async run(args: readonly string[], body: object = {}, query = ''): Promise<string> {
    const id = await this.create(args, body, query);
    await this.call('POST', `/containers/${id}/start`);
    return id;
  }
}

/** The raw connection, or an error with what came instead. */
export function hijacked(answer: Hijacked | Answer): Hijacked {
  if ('socket' in answer) return answer;
  throw new Error(`want an upgrade, have ${String(answer.status)} ${answer.text}`);
}

/** The payloads of a multiplexed stream. */
export function readFrames(bytes: Buffer): readonly { readonly type: number; readonly text: string }[] {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    frames.push({ type: bytes[at] ?? 0, text: bytes.toString('utf8', at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return frames;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readSocket(socket: Socket, head: Buffer | undefined): Promise<Buffer> {
  const chunks: Buffer[] = head === undefined ? [] : [head];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
