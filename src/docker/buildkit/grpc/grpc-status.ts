import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';

import { StatusError } from '#base/errors.ts';
import { percentDecoded, percentEncoded } from '#formats/grpc/percent-text.ts';
import { encodeMessage } from '#formats/protobuf/encode.ts';
import { many, message, one } from '#formats/protobuf/message.ts';

/** Codes of gRPC that we tell apart. BuildKit uses Unknown for what is wrong with a build: clients then show the text alone. */
export const grpcCodes = { ok: 0, canceled: 1, unknown: 2, unimplemented: 12, internal: 13 } as const;

/** An error that a gRPC peer reads: its code, its text, and details that it knows by their type. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

/** `google.protobuf.Any`. */
export interface ErrorDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

const rpcStatus = message({
  code: one(1, 'int32'),
  message: one(2, 'string'),
  details: many(3, message({ typeUrl: one(1, 'string'), value: one(2, 'bytes') })),
});

/** Header values beyond this are refused by the HTTP/2 library (64 KiB each); the details are left away then. */
const maximumDetailBytes = 40_000;

/** The trailers that end a call. */
export function trailersOf({ code, message: text, details }: GrpcStatus): OutgoingHttpHeaders {
  const bytes = encodeMessage(rpcStatus, { code, message: text, details });
  const hasDetails = details.length > 0 && bytes.length <= maximumDetailBytes;
  return {
    'grpc-status': String(code),
    ...(text === '' ? {} : { 'grpc-message': percentEncoded(shortened(text)) }),
    ...(hasDetails ? { 'grpc-status-details-bin': Buffer.from(bytes).toString('base64') } : {}),
  };
}

/** Throws what the peer says went wrong; a call that has no status was cut off. */
export function checkStatus(headers: IncomingHttpHeaders, method: string): void {
  const code = headers['grpc-status'];
  if (code === '0') return;
  const text = percentDecoded(String(headers['grpc-message'] ?? ''));
  if (code === undefined) throw new StatusError('Unavailable', `Cannot call ${method} of the client: it went away`);
  if (code === String(grpcCodes.unimplemented))
    throw new StatusError('NotSupported', text === '' ? `the client does not know ${method}` : text);
  const reason = code === '5' ? 'NotFound' : code === '6' ? 'Conflict' : 'InvalidArgument';
  throw new StatusError(reason, text === '' ? `${method} failed` : text);
}

/** Header values are bounded. */
function shortened(text: string): Uint8Array {
  const limit = 8_000;
  return Buffer.from(text.length > limit ? `${text.slice(0, limit)}...` : text);
}
