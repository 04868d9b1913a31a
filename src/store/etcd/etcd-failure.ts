import { StatusError } from '#base/errors.ts';

import { RpcFailure, rpcCodes } from './rpc-failure.ts';

/** etcd's sentences, by which alone these are told apart: its codes are the same. */
const sentences = {
  compacted: 'required revision has been compacted',
  future: 'required revision is a future revision',
  noSpace: 'database space exceeded',
  tooLarge: 'request is too large',
} as const;

/** Whether etcd says that a revision was compacted. */
export function isCompacted(error: unknown): boolean {
  return says(error, sentences.compacted);
}

/** Whether etcd says that a revision is still to come. */
export function isFuture(error: unknown): boolean {
  return says(error, sentences.future);
}

/** An error of a call as one that the caller can act on; what it was to do, such as `write "/a"`. */
export function ofEtcd(error: unknown, what: string): unknown {
  if (!(error instanceof RpcFailure)) return error;
  const text = `Cannot ${what}: etcd says: ${error.message}`;
  const options = { cause: error };
  if (says(error, sentences.noSpace))
    return new StatusError('DiskFull', `${text}; raise its quota or defragment it, and disarm its alarm`, options);
  if (says(error, sentences.tooLarge)) return new StatusError('TooLarge', text, options);
  if (error.code === rpcCodes.unavailable || error.code === rpcCodes.deadlineExceeded) {
    if (!error.mayBeDone) return new StatusError('Unavailable', text, { ...options, retryAfterMs: 1000 });
    return new StatusError('Timeout', `${text}; nobody knows whether it was done: read it again`, options);
  }
  if (error.code === rpcCodes.unauthenticated || error.code === rpcCodes.permissionDenied)
    return new StatusError('Forbidden', `${text}; see the certificate that is shown to it, and its users`, options);
  return new StatusError('Unavailable', text, options);
}

function says(error: unknown, sentence: string): boolean {
  return error instanceof RpcFailure && error.message.includes(sentence);
}
