import { PassThrough, type Writable } from 'node:stream';

import type { AdmissionPlugin } from '#apiserver/admission/admission.ts';
import type { CallWebhook } from '#apiserver/admission/webhooks/call-webhook.ts';
import type { AuditLog } from '#apiserver/audit/audit-log.ts';
import type { UserInfo } from '#apiserver/auth/user.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { openApi, type Api, type ApiParts } from '#apiserver/open-api.ts';
import { createLogger } from '#base/logger.ts';
import { kinds } from '#kube/kinds/kinds.ts';
import { ApiError } from '#kube/status.ts';
import { openMemoryStore } from '#store/memory/open-memory-store.ts';
import type { Store } from '#store/store.ts';

import type { Owner } from '../temp-root.ts';
import type { Json } from './json.ts';
import { WatchedEvents } from './watched-events.ts';

export interface MemoryApiOptions {
  readonly plugins?: readonly AdmissionPlugin[];
  readonly auth?: Partial<ApiParts['auth']>;
  readonly nowMs?: () => number;
  readonly audit?: AuditLog;
  /** Answers in the place of webhooks that convert. */
  readonly callWebhook?: CallWebhook;
  /** Somebody else's, who closes it and may write to it, too; without it one in memory. */
  readonly store?: Store;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: Json;
}

type Texts = Readonly<Record<string, string>>;

const admin: UserInfo = { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} };

/** A Kubernetes API over a store in memory, without sockets; requests are function calls. */
export class MemoryApi {
  readonly api: Api;
  readonly store: Store;
  /** What the server logged as its own fault. */
  readonly defects: readonly string[];

  constructor(api: Api, store: Store, defects: readonly string[]) {
    this.api = api;
    this.store = store;
    this.defects = defects;
  }

  async get(path: string, headers: Texts = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  async post(path: string, body: object): Promise<Answer> {
    return this.send('POST', path, body);
  }

  async put(path: string, body: object): Promise<Answer> {
    return this.send('PUT', path, body);
  }

  async patch(path: string, type: string, body: object): Promise<Answer> {
    return this.send('PATCH', path, body, { 'content-type': type });
  }

  async delete(path: string, body?: object): Promise<Answer> {
    return this.send('DELETE', path, body);
  }

  /** The object that was made or changed; fails the test when it was refused. */
  async must(answer: Promise<Answer>): Promise<Json> {
    const { status, text, body } = await answer;
    if (status >= 300) throw new Error(`answered ${String(status)}: ${text}`);
    return body;
  }

  async send(
    method: string,
    path: string,
    body: object | string | Uint8Array | undefined,
    headers: Texts = {},
  ): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const exchange = exchangeOf(method, path, bytesOf(body), headers, {
      reply: (status, given, text) => resolve(answerOf(status, given, Buffer.from(text).toString())),
      open: (status, given) => collecting((text) => resolve(answerOf(status, given, text))),
    });
    await this.api.serve(exchange);
    return promise;
  }

  /** Events of a watch as they come; `end` lets the client leave. */
  watch(path: string, headers: Texts = {}): WatchedEvents {
    return new WatchedEvents((out, signal) =>
      this.api.serve(
        exchangeOf('GET', path, Buffer.alloc(0), headers, {
          reply: (_status, _headers, text) => void out.end(`${Buffer.from(text).toString()}\n`),
          open: () => out,
          gone: signal,
        }),
      ),
    );
  }
}

export async function openMemoryApi(owner: Owner, options: MemoryApiOptions = {}): Promise<MemoryApi> {
  const store = options.store ?? openMemoryStore();
  const defects: string[] = [];
  const auth: ApiParts['auth'] = {
    identify: async () => await Promise.resolve({ user: admin, actor: admin }),
    authorizer: { authorize: () => ({ verdict: 'allow', reason: '' }) },
    review: async () => await Promise.resolve(undefined),
    createToken: async (_account, request) => await Promise.resolve(request),
    document: () => undefined,
    ...options.auth,
  };
  const parts = { auth, plugins: options.plugins ?? [] };
  const api = await openApi(
    {
      store,
      isExclusive: options.store === undefined,
      kinds,
      agent: undefined,
      logger: createLogger({ level: 'error', format: 'json', write: (line) => defects.push(line) }),
      serverAddress: () => '127.0.0.1:6443',
      openParts: async () => await Promise.resolve(parts),
      ...(options.nowMs === undefined ? {} : { nowMs: options.nowMs }),
      ...(options.audit === undefined ? {} : { audit: options.audit }),
      ...(options.callWebhook === undefined ? {} : { callWebhook: options.callWebhook }),
    },
    new AbortController().signal,
  );
  owner.after(async () => {
    await api[Symbol.asyncDispose]();
    if (options.store === undefined) await store[Symbol.asyncDispose]();
  });
  return new MemoryApi(api, store, defects);
}

function bytesOf(body: object | string | Uint8Array | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function exchangeOf(
  method: string,
  target: string,
  body: Buffer,
  headers: Texts,
  answer: Pick<Exchange, 'reply' | 'open'> & { readonly gone?: AbortSignal },
): Exchange {
  return {
    ...answer,
    get isGone() {
      return answer.gone?.aborted === true;
    },
    whenGone: (callback) => answer.gone?.addEventListener('abort', callback),
    method,
    target,
    headers,
    socket: undefined,
    readBody: async (bytesMost) => {
      if (body.length > bytesMost) throw new ApiError('RequestEntityTooLarge', 'Request entity too large');
      return await Promise.resolve(body);
    },
  };
}

function answerOf(status: number, headers: Answer['headers'], text: string): Answer {
  return { status, headers, text, body: parse(text) };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function collecting(done: (text: string) => void): Writable {
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  out.on('close', () => done(Buffer.concat(chunks).toString()));
  return out;
}
