import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';

import { after } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import { readHostCertificates } from './certificates.ts';
import type { HostCertificates } from './certificates.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Accept any certificate: for registries that are declared insecure. */
  readonly anyCertificate?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end, or ended early, which closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpTransportOptions {
  /** A peer that neither takes nor sends a byte for so long is given up with Timeout. */
  readonly idleTimeoutMs: number;
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` as in an environment; loopback is never asked through a proxy. */
  readonly proxy?: Readonly<Record<string, string | undefined>>;
  /** Absolute: folders `<host[:port]>` with certificates, see `readHostCertificates`. */
  readonly certificatesPath?: string;
}

const loopback = /^(?:localhost|127\.[0-9.]+|\[::1\])$/;
const idleConnectionsMost = 8;
/** Of a body, before the connection is held up; each is at most 64 KiB. */
const chunksAheadMost = 4;
/** Kinds of connections (protocol, certificates) that are kept for use again. */
const agentsMost = 64;

export function isLoopback(hostname: string): boolean {
  return loopback.test(hostname);
}

/**
 * Single HTTP exchanges with backpressure both ways. TLS trusts the system's certificate authorities, and those that the
 * host has a folder for. Throws Unavailable
 * when the peer cannot be reached or breaks off, Timeout when it hangs.
 */
export class HttpTransport implements Disposable {
  readonly #options: HttpTransportOptions;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const { certificatesPath, idleTimeoutMs } = this.#options;
    const isSecure = request.url.protocol === 'https:' && certificatesPath !== undefined;
    const shown = isSecure ? await readHostCertificates(certificatesPath, request.url.host) : undefined;
    const exchange = new Exchange(request, this.#agentFor(request, shown), idleTimeoutMs, signal);
    return await exchange.run();
  }

  #agentFor(
    { url, anyCertificate = false }: HttpRequest,
    certificates: HostCertificates | undefined,
  ): HttpAgent | HttpsAgent {
    const direct = isLoopback(url.hostname);
    const key = `${url.protocol}${String(direct)}${String(anyCertificate)}${certificates?.id ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#agents.keys();
    // Requests under way keep the connections that they have.
    if (oldest !== undefined && this.#agents.size >= agentsMost) this.#agents.delete(oldest);
    const common = {
      keepAlive: true,
      maxFreeSockets: idleConnectionsMost,
      ...(direct || this.#options.proxy === undefined ? {} : { proxyEnv: { ...this.#options.proxy } }),
    };
    const agent =
      url.protocol === 'https:'
        ? new HttpsAgent({
            ...common,
            ...(anyCertificate
              ? { rejectUnauthorized: false }
              : { ca: [...getCACertificates('system'), ...(certificates?.authorities ?? [])] }),
            ...(certificates === undefined
              ? {}
              : { cert: [...certificates.certificates], key: [...certificates.keys] }),
          })
        : new HttpAgent(common);
    this.#agents.set(key, agent);
    return agent;
  }
}

/** One request and its response. */
class Exchange {
  readonly #request: HttpRequest;
  readonly #idleMs: number;
  readonly #signal: AbortSignal;
  readonly #outgoing: ClientRequest;
  readonly #failed = Promise.withResolvers<never>();

  constructor(request: HttpRequest, agent: HttpAgent, idleMs: number, signal: AbortSignal) {
    const { method, url, body } = request;
    const headers: OutgoingHttpHeaders = { ...request.headers };
    if (body instanceof Uint8Array) headers['content-length'] = body.length;
    else if (body === undefined && ['POST', 'PUT', 'PATCH'].includes(method)) headers['content-length'] = 0;
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    this.#request = request;
    this.#idleMs = idleMs;
    this.#signal = signal;
    this.#outgoing = send(url, { method, headers, agent, signal });
    this.#failed.promise.catch(() => {});
    this.#outgoing.on('error', (error) => this.#failed.reject(this.#explain(error)));
  }

  async run(): Promise<HttpResponse> {
    const answered = Promise.withResolvers<IncomingMessage>();
    this.#outgoing.once('response', answered.resolve);
    let early: IncomingMessage | undefined;
    const sending = this.#sendBody(() => early !== undefined);
    void answered.promise.then((response) => (early = response));
    try {
      // A server may answer, and refuse, before it has read the body.
      await Promise.race([sending, answered.promise, this.#failed.promise]);
      const response = await this.#within(answered.promise);
      return { status: response.statusCode ?? 0, headers: response.headers, body: this.#read(response) };
    } catch (error) {
      this.#outgoing.destroy();
      throw error;
    } finally {
      sending.catch(() => {});
    }
  }

  async #sendBody(isAnswered: () => boolean): Promise<void> {
    const { body } = this.#request;
    if (body !== undefined && !(body instanceof Uint8Array)) {
      try {
        for await (const chunk of body) {
          if (isAnswered()) return;
          if (!this.#outgoing.write(chunk)) await this.#within(once(this.#outgoing, 'drain'));
        }
      } catch (error) {
        this.#outgoing.destroy();
        throw error;
      }
    }
    this.#outgoing.end(body instanceof Uint8Array ? body : undefined);
  }

  /** By events: the iterator of Node.js joins what has come into new memory. */
  async *#read(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    const arrived: Uint8Array[] = [];
    let wake = (): void => {};
    response.once('error', (error) => this.#failed.reject(this.#explain(error)));
    response.once('end', () => wake());
    response.on('data', (chunk: Uint8Array) => {
      arrived.push(chunk);
      if (arrived.length >= chunksAheadMost) response.pause();
      wake();
    });
    try {
      for (;;) {
        const chunk = arrived.shift();
        if (chunk !== undefined) yield chunk;
        else if (response.readableEnded) return;
        else {
          response.resume();
          await this.#within(new Promise<void>((resolve) => (wake = resolve)));
        }
      }
    } finally {
      if (!response.readableEnded || !this.#outgoing.writableEnded) this.#outgoing.destroy();
    }
  }

  /** Waits for the peer: until it moves, fails, or has been still for too long. */
  async #within<T>(movement: Promise<T>): Promise<T> {
    using _timer = after(this.#idleMs, () => {
      const { url, method } = this.#request;
      const seconds = String(this.#idleMs / 1000);
      const text = `Cannot finish ${method} ${url.host}${url.pathname}: the registry was silent for ${seconds} s; try again later`;
      this.#failed.reject(new StatusError('Timeout', text));
      this.#outgoing.destroy();
    });
    return await Promise.race([movement, this.#failed.promise]);
  }

  #explain(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (error instanceof StatusError) return error;
    const { url } = this.#request;
    return new StatusError('Unavailable', `Cannot reach registry "${url.host}": ${messageOf(error)}`, { cause: error });
  }
}

async function once(emitter: ClientRequest, event: string): Promise<void> {
  await new Promise<void>((resolve) => emitter.once(event, () => resolve()));
}
