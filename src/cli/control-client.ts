import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { ExposureReport, StatusReport } from '#app/control-protocol.ts';
import { deadline } from '#base/clock.ts';
import { reasons, StatusError, type Reason } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { hasCode } from '#sys/errno.ts';

const statusDeadlineMs = 10_000;

/** Speaks to the daemon of one root by its control socket. */
export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Undefined when no daemon listens. Throws Timeout when one listens but does not answer. */
  async status(signal: AbortSignal): Promise<StatusReport | undefined> {
    const limit = deadline(statusDeadlineMs, signal);
    try {
      return JSON.parse(await textOf(await this.send('GET', '/status', undefined, limit))) as StatusReport;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET')) return undefined;
      if (!limit.aborted || signal.aborted) throw error;
      throw new StatusError('Timeout', 'Cannot ask the daemon: it does not answer; see slipway logs', { cause: error });
    }
  }

  /** What containers can be reached by. Throws Unavailable when no daemon listens. */
  async exposure(signal: AbortSignal): Promise<ExposureReport> {
    try {
      return JSON.parse(await textOf(await this.send('GET', '/exposed', undefined, signal))) as ExposureReport;
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET')) throw error;
      const message = 'Cannot see what is exposed: slipway does not run; start it with slipway up';
      throw new StatusError('Unavailable', message, { cause: error });
    }
  }

  /** The answer's stream. Throws the daemon's own StatusError, or the socket's system error. */
  async send(method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const call = request({ socketPath: this.#socketPath, method, path, signal }, resolve);
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    return succeeded(await promise);
  }

  /** Posts a stream of bytes. Throws what the stream throws, or like `send`. */
  async upload(path: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const call = request({ socketPath: this.#socketPath, method: 'POST', path, signal }, resolve);
    call.on('error', reject);
    // Once there is an answer, what becomes of the rest of the stream does not matter.
    pipeline(Readable.from(bytes, { objectMode: false }), call).catch(reject);
    return succeeded(await promise);
  }
}

/** The body of an answer. */
export async function readJson(response: IncomingMessage): Promise<unknown> {
  return JSON.parse(await textOf(response)) as unknown;
}

async function succeeded(response: IncomingMessage): Promise<IncomingMessage> {
  if (response.statusCode === 200) return response;
  throw failureOf(await textOf(response));
}

/** The JSON that the daemon answers. Throws Unavailable when none runs, or the daemon's own StatusError. */
export async function askDaemon(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return JSON.parse(await textOf(await new ControlClient(socketPath).send(method, path, undefined, signal)));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) throw error;
    throw new StatusError('Unavailable', 'Cannot ask the daemon: slipway does not run; start it with slipway up');
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function failureOf(text: string): Error {
  const body: unknown = JSON.parse(text);
  if (!isObject(body) || typeof body['message'] !== 'string') return new Error(`the daemon answered ${text}`);
  return failure(body['reason'], body['message']);
}

/** The daemon's error, as it was thrown there. */
export function failure(reason: unknown, message: string): Error {
  return typeof reason === 'string' && reason in reasons
    ? new StatusError(reason as Reason, message)
    : new Error(message);
}
