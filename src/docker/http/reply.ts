import type { Duplex } from 'node:stream';

import type { Connection } from './connection.ts';
import type { Headers } from './headers.ts';
import type { Output } from './output.ts';

/** What a handler answers with. Errors are thrown, not answered. */
export type Reply = ValueReply | EmptyReply | StreamReply | HijackReply | HandoverReply;

export interface ValueReply {
  readonly kind: 'value';
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers: Headers;
}

export interface EmptyReply {
  readonly kind: 'empty';
  readonly status: number;
  readonly headers: Headers;
}

/** A body that is written while things happen. */
export interface StreamReply {
  readonly kind: 'stream';
  readonly contentType: string;
  readonly headers: Headers;
  /**
   * Sends status and headers before `write` runs, for clients that wait for them (`/wait`, `/events`, `/logs`). Without
   * it an error before the first byte still becomes a proper HTTP error.
   */
  readonly headAtOnce: boolean;
  /** How an error after the first byte is told: as a JSON message in the stream, or by cutting the connection. */
  readonly lateErrors: 'json' | 'cut';
  write(output: Output, signal: AbortSignal): Promise<void>;
}

/** The connection leaves HTTP and carries raw bytes both ways. */
export interface HijackReply {
  readonly kind: 'hijack';
  readonly contentType: string;
  run(connection: Connection, signal: AbortSignal): Promise<void>;
}

/** The connection goes over to another protocol that the request named (`Upgrade`), and is given away as it is. */
export interface HandoverReply {
  readonly kind: 'handover';
  readonly protocol: string;
  run(socket: Duplex, signal: AbortSignal): Promise<void>;
}

export function json(value: unknown, status = 200, headers: Headers = {}): ValueReply {
  return { kind: 'value', status, contentType: 'application/json', body: `${JSON.stringify(value)}\n`, headers };
}

export function plainText(body: string, headers: Headers = {}): ValueReply {
  return { kind: 'value', status: 200, contentType: 'text/plain; charset=utf-8', body, headers };
}

export function empty(status: number, headers: Headers = {}): EmptyReply {
  return { kind: 'empty', status, headers };
}

export function stream(
  options: Partial<Pick<StreamReply, 'contentType' | 'headers' | 'headAtOnce' | 'lateErrors'>>,
  write: StreamReply['write'],
): StreamReply {
  const defaults = { contentType: 'application/json', headers: {}, headAtOnce: false, lateErrors: 'cut' as const };
  return { kind: 'stream', ...defaults, ...options, write };
}

export function hijack(contentType: string, run: HijackReply['run']): HijackReply {
  return { kind: 'hijack', contentType, run };
}

export function handover(protocol: string, run: HandoverReply['run']): HandoverReply {
  return { kind: 'handover', protocol, run };
}

/** Docker's body of an error reply. */
export function errorBody(message: string): string {
  return `${JSON.stringify({ message })}\n`;
}
