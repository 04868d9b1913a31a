import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** A request as the endpoints see it. */
export interface RegistryCall {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal;
}

export interface RegistryReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** Left away in answers to HEAD, whose headers say its length. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
}

export function jsonReply(value: unknown, headers: OutgoingHttpHeaders = {}, status = 200): RegistryReply {
  const body = JSON.stringify(value);
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
  return { status, headers: all, body };
}

export function emptyReply(status: number, headers: OutgoingHttpHeaders = {}): RegistryReply {
  return { status, headers: { 'content-length': 0, ...headers } };
}
