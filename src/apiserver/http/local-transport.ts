import { PassThrough, type Writable } from 'node:stream';

import type { ApiRequest, ApiResponse, Transport } from '#kube/client/transport.ts';
import { ApiError } from '#kube/status.ts';

import type { UserInfo } from '../auth/user.ts';
import type { Exchange, Headers } from './exchange.ts';

/**
 * Carries requests of a client in this process to the server in this process, as a user: they are authorized, admitted,
 * counted and noted as any other. `serve` answers one and never rejects.
 */
export class LocalTransport implements Transport {
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #user: UserInfo;

  constructor(serve: (exchange: Exchange) => Promise<void>, user: UserInfo) {
    this.#serve = serve;
    this.#user = user;
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    signal.throwIfAborted();
    const exchange = new LocalExchange(request, this.#user);
    const leave = (): void => exchange.leave();
    signal.addEventListener('abort', leave, { once: true });
    const done = this.#serve(exchange).finally(() => signal.removeEventListener('abort', leave));
    const answer = await Promise.race([exchange.answer, done.then(() => undefined)]);
    signal.throwIfAborted();
    // A request whose place of answer was closed has none.
    if (answer === undefined) throw new ApiError('ServiceUnavailable', 'the API server ends');
    return answer;
  }
}

class LocalExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: Exchange['headers'];
  readonly socket = undefined;
  readonly caller: UserInfo;
  readonly #body: Buffer;
  readonly #answer = Promise.withResolvers<ApiResponse>();
  #out: PassThrough | undefined;
  #isGone = false;
  #onGone: (() => void) | undefined;

  constructor({ method, path, contentType, body }: ApiRequest, caller: UserInfo) {
    this.method = method;
    this.target = path;
    this.headers = {
      accept: 'application/json',
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    };
    this.caller = caller;
    this.#body = Buffer.from(body ?? '');
  }

  get answer(): Promise<ApiResponse> {
    return this.#answer.promise;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  whenGone(callback: () => void): void {
    if (this.#isGone) callback();
    else this.#onGone = callback;
  }

  /** The client wants no answer any more. */
  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#onGone?.();
    this.#out?.destroy();
  }

  async readBody(bytesMost: number): Promise<Buffer> {
    if (this.#body.length > bytesMost)
      throw new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${String(bytesMost)}`);
    return await Promise.resolve(this.#body);
  }

  reply(status: number, headers: Headers, body: Uint8Array | string): void {
    this.#settle(status, headers, once(typeof body === 'string' ? Buffer.from(body) : body));
  }

  open(status: number, headers: Headers): Writable {
    const out = new PassThrough();
    this.#out = out;
    // Who stops reading has left.
    out.on('close', () => out.readableEnded || this.leave());
    this.#settle(status, headers, out);
    return out;
  }

  #settle(status: number, headers: Headers, body: AsyncIterable<Uint8Array>): void {
    const seconds = headers['retry-after'];
    this.#answer.resolve({ status, retryAfterSeconds: seconds === undefined ? undefined : Number(seconds), body });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
