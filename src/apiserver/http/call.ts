import type { Writable } from 'node:stream';

import type { UserInfo } from '../auth/user.ts';
import type { Exchange, Headers } from './exchange.ts';
import type { RequestInfo } from './request-info.ts';

/** A request whose sender is known and may send it. */
export interface Call<Info extends RequestInfo = RequestInfo> {
  readonly exchange: Exchange;
  readonly info: Info;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** Texts for Warning headers (RFC 7234, code 299), each once. */
  readonly warnings: Set<string>;
  /** Adds to the audit event of the request. */
  readonly annotate: (key: string, value: string) => void;
  /** Text of a request header; several are joined by commas. */
  header(name: string): string | undefined;
  readBody(): Promise<Buffer>;
}

export type Reply = BodyReply | StreamReply;

export interface BodyReply {
  readonly kind: 'body';
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers?: Headers;
}

/** An answer that is written for as long as there is something to say. */
export interface StreamReply {
  readonly kind: 'stream';
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Headers;
  /** Writes all of it; the stream is ended afterwards. */
  write(out: Writable, signal: AbortSignal): Promise<void>;
}

export function jsonReply(value: unknown, status = 200, headers: Headers = {}): BodyReply {
  return { kind: 'body', status, contentType: 'application/json', body: JSON.stringify(value), headers };
}

export function textReply(text: string, status = 200): BodyReply {
  return { kind: 'body', status, contentType: 'text/plain; charset=utf-8', body: text };
}
