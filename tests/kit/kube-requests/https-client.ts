import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { Agent, request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';

import { after } from '#base/clock.ts';

import type { ApiRequest } from './api-request.ts';

export interface HttpsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpsIdentity {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  readonly ca: string;
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** What Node's client may have under way: several bodies of the largest size. */
const sessionMemoryMb = 256;
/** How long a stream without an end is read before this side leaves. */
const streamMs = 200;

/**
 * Node's client does not forget bodies of which the server wanted no more: of each connection it refuses to send any after
 * a while, and another one is opened before that.
 */
const streamsPerSession = 100;

/** Connections of HTTP/2 and of HTTP/1.1 to an API server, with a client's certificate. */
export class HttpsClient implements Disposable {
  readonly #identity: HttpsIdentity;
  readonly #agent: Agent;
  #session: ClientHttp2Session | undefined;
  #streams = 0;
  readonly #sessions: ClientHttp2Session[] = [];

  constructor(identity: HttpsIdentity) {
    const { ca, keyPem: key, certificatePem: cert } = identity;
    this.#identity = identity;
    this.#agent = new Agent({ ca, key, cert, keepAlive: true, maxSockets: 4 });
  }

  /** Rejects when the connection breaks before the whole answer has come, or the signal aborts. */
  async send(protocol: 'h1' | 'h2', request: ApiRequest, signal: AbortSignal): Promise<HttpsAnswer> {
    return protocol === 'h1' ? this.#overHttp1(request, signal) : this.#overHttp2(request, signal);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
    for (const session of this.#sessions) session.destroy();
  }

  async #overHttp2({ method, target, headers, body }: ApiRequest, signal: AbortSignal): Promise<HttpsAnswer> {
    const stream = this.#currentSession().request(
      { ...headers, ':method': method, ':path': target },
      { endStream: body === undefined, signal },
    );
    const answered = new Promise<HttpsAnswer>((resolve, reject) => {
      let hasHead = false;
      stream.on('error', reject);
      stream.on('response', (given) => {
        hasHead = true;
        const headers = given as HttpsAnswer['headers'];
        readText(stream, isStream(headers)).then(
          (text) => resolve({ status: given[':status'] ?? 0, headers, text }),
          reject,
        );
      });
      stream.on('close', () => {
        if (!hasHead) reject(new Error('the stream was closed without an answer'));
      });
    });
    if (body !== undefined) stream.end(body);
    return answered;
  }

  #currentSession(): ClientHttp2Session {
    const isWorn = this.#streams >= streamsPerSession || this.#session?.closed === true;
    if (this.#session !== undefined && !isWorn) {
      this.#streams += 1;
      return this.#session;
    }
    const { url, ca, keyPem: key, certificatePem: cert } = this.#identity;
    this.#session = connectHttp2(url, { ca, key, cert, maxSessionMemory: sessionMemoryMb });
    this.#session.on('error', () => {});
    this.#sessions.push(this.#session);
    this.#streams = 1;
    return this.#session;
  }

  async #overHttp1({ method, target, headers, body }: ApiRequest, signal: AbortSignal): Promise<HttpsAnswer> {
    const { hostname, port } = new URL(this.#identity.url);
    const given = body === undefined ? headers : { ...headers, 'content-length': String(body.length) };
    return new Promise((resolve, reject) => {
      const sent = requestHttps(
        { agent: this.#agent, hostname, port, method, path: target, headers: given, signal },
        (response) => {
          readText(response, isStream(response.headers)).then(
            (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
            reject,
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

/** Watches and logs: nobody waits for their end. */
function isStream(headers: HttpsAnswer['headers']): boolean {
  return headers['content-length'] === undefined;
}

async function readText(stream: Readable, isStream: boolean): Promise<string> {
  using _ = isStream ? after(streamMs, () => stream.destroy()) : undefined;
  let text = '';
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString('latin1');
  } catch (error) {
    if (!isStream) throw error;
  }
  return text;
}
