import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';

import { after, deadline, every } from '#base/clock.ts';
import { messageOf, StatusError } from '#base/errors.ts';
import type { ApiRequest, ApiResponse, Transport } from '#kube/client/transport.ts';

import type { ApiTarget } from './api-target.ts';

/** Milliseconds for a whole answer, and for the beginning of one that comes in pieces. */
const answerMs = 60_000;
/** A connection that carries something is asked for a sign of life this often, and given up when none comes. */
const pingEveryMs = 5_000;
const pingMs = 10_000;

export interface TransportOptions {
  readonly userAgent: string;
  /** Opens the connection; the default is TLS to the target. */
  readonly openConnection?: () => Duplex;
}

/**
 * Requests over one HTTP/2 connection, which is opened when it is needed and again after it was lost. Requests that a
 * server surely has not begun are sent again once; all else that fails is Unavailable.
 */
export class Http2Transport implements Transport, AsyncDisposable {
  readonly #target: ApiTarget;
  readonly #options: TransportOptions;
  #session: ClientHttp2Session | undefined;
  #isClosed = false;

  constructor(target: ApiTarget, options: TransportOptions) {
    this.#target = target;
    this.#options = options;
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    try {
      return await this.#sendOnce(request, signal);
    } catch (error) {
      if (signal.aborted || !wasNotBegun(error)) throw this.#asOurs(error, signal);
    }
    try {
      return await this.#sendOnce(request, signal);
    } catch (error) {
      throw this.#asOurs(error, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    session.once('close', resolve);
    session.destroy();
    await promise;
  }

  async #sendOnce(request: ApiRequest, signal: AbortSignal): Promise<ApiResponse> {
    signal.throwIfAborted();
    const stream = this.#connection().request(this.#headersOf(request), { endStream: request.body === undefined });
    // Errors reach whoever waits for the answer or reads it; one that nobody reads any more is nobody's.
    stream.on('error', () => {});
    // Reading begins at once: Node throws away what came on a stream that ended before anybody read.
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    const first = chunks.next();
    first.catch(() => {});
    const late = deadline(answerMs, signal);
    const cancel = (): void => stream.close(constants.NGHTTP2_CANCEL);
    late.addEventListener('abort', cancel, { once: true });
    if (request.body !== undefined) stream.end(request.body);
    try {
      const headers = await headersOf(stream);
      if (request.isStream) {
        late.removeEventListener('abort', cancel);
        signal.addEventListener('abort', cancel, { once: true });
      }
      return {
        status: headers[':status'] ?? 0,
        retryAfterSeconds: secondsOf(headers['retry-after']),
        body: this.#bodyOf(stream, readOn(first, chunks), { late: request.isStream ? signal : late, cancel }, signal),
      };
    } catch (error) {
      late.removeEventListener('abort', cancel);
      throw late.aborted && !signal.aborted ? tooLate() : error;
    }
  }

  async *#bodyOf(
    stream: ClientHttp2Stream,
    chunks: AsyncIterable<Uint8Array>,
    { late, cancel }: { readonly late: AbortSignal; readonly cancel: () => void },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    try {
      if (late.aborted) throw late.reason;
      yield* chunks;
      // A stream that was reset before its end reads as if it had ended.
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw resetError(stream.rstCode);
      if (late.aborted) throw late.reason;
    } catch (error) {
      throw late.aborted && !signal.aborted ? tooLate() : this.#asOurs(error, signal);
    } finally {
      late.removeEventListener('abort', cancel);
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  #headersOf({ method, path, contentType, body }: ApiRequest): OutgoingHttpHeaders {
    const token = this.#target.credentials.token?.();
    return {
      ':method': method,
      ':path': path,
      accept: 'application/json',
      'user-agent': this.#options.userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    };
  }

  #connection(): ClientHttp2Session {
    if (this.#isClosed) throw new Error('invariant broken: the transport is closed');
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const { origin, authoritiesPem, serverName, isInsecure, credentials } = this.#target;
    const { openConnection } = this.#options;
    const session = connect(origin, {
      ...(authoritiesPem === undefined ? {} : { ca: authoritiesPem }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(credentials.certificatePem === undefined ? {} : { cert: credentials.certificatePem }),
      ...(credentials.keyPem === undefined ? {} : { key: credentials.keyPem }),
      rejectUnauthorized: !isInsecure,
      ...(openConnection === undefined ? {} : { createConnection: openConnection }),
    });
    // Each of its requests learns of it by itself.
    session.on('error', () => {});
    session.once('goaway', () => this.#forget(session));
    const pings = every(pingEveryMs, () => askForLife(session));
    session.once('close', () => {
      pings[Symbol.dispose]();
      this.#forget(session);
    });
    session.unref();
    this.#session = session;
    return session;
  }

  /** Requests that are under way go on; new ones take another connection. */
  #forget(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined;
  }

  #asOurs(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof StatusError) return error;
    const way = 'see whether it runs, and whether its address and certificates are right';
    const message = `Cannot reach the Kubernetes API at ${this.#target.origin}: ${messageOf(error)}; ${way}`;
    return new StatusError('Unavailable', message, { cause: error });
  }
}

/** The chunks of an iteration whose first step was taken already. */
async function* readOn(
  first: Promise<IteratorResult<Uint8Array>>,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let step = await first; step.done !== true; step = await chunks.next()) yield step.value;
}

type AnswerHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

async function headersOf(stream: ClientHttp2Stream): Promise<AnswerHeaders> {
  const { promise, resolve, reject } = Promise.withResolvers<AnswerHeaders>();
  stream.once('response', resolve);
  stream.once('error', reject);
  stream.once('close', () => reject(resetError(stream.rstCode)));
  return promise;
}

/** Nothing was begun when there was no connection any more, or the server refused the stream (RFC 9113, section 8.7). */
function wasNotBegun(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_HTTP2_INVALID_SESSION' || code === 'ERR_HTTP2_GOAWAY_SESSION') return true;
  return error instanceof ResetError
    ? error.rstCode === constants.NGHTTP2_REFUSED_STREAM
    : error.message.includes('NGHTTP2_REFUSED_STREAM');
}

class ResetError extends Error {
  readonly rstCode: number | undefined;

  constructor(rstCode: number | undefined) {
    super(`the server ended the stream (HTTP/2 error ${String(rstCode)})`);
    this.rstCode = rstCode;
  }
}

function resetError(rstCode: number | undefined): Error {
  return new ResetError(rstCode);
}

function tooLate(): StatusError {
  return new StatusError('Timeout', `the Kubernetes API did not answer within ${String(answerMs / 1000)} s; try again`);
}

/** Destroys a connection on which nothing comes back, so that its requests fail soon and not after many minutes. */
function askForLife(session: ClientHttp2Session): void {
  if (session.connecting || session.destroyed) return;
  const giveUp = after(pingMs, () => session.destroy(new Error('the connection is dead: no answer to a ping')));
  session.ping(() => giveUp[Symbol.dispose]());
}

function secondsOf(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
