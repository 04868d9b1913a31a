import type { IncomingHttpHeaders } from 'node:http2';

import { percentDecoded } from '#formats/grpc/percent-text.ts';

/** Codes of gRPC that we tell apart. */
export const rpcCodes = {
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  outOfRange: 11,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that failed, as the peer says or the connection shows. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  readonly code: number;
  /** Whether the peer may have done what it was asked for. */
  readonly mayBeDone: boolean;

  constructor(code: number, message: string, options: { readonly mayBeDone: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = code;
    this.mayBeDone = options.mayBeDone;
  }
}

/** etcd refuses these before anything is proposed to the others. */
const refusedAtOnce = /^etcdserver: (no leader|too many requests|not capable)/;

/** Throws what trailers say went wrong. */
export function checkTrailers(headers: IncomingHttpHeaders): void {
  const code = headers['grpc-status'];
  if (code === '0') return;
  if (code === undefined) throw new RpcFailure(rpcCodes.unavailable, 'the connection broke off', { mayBeDone: true });
  const text = percentDecoded(String(headers['grpc-message'] ?? ''));
  throw new RpcFailure(Number(code), text, {
    mayBeDone: Number(code) !== rpcCodes.outOfRange && !refusedAtOnce.test(text),
  });
}
