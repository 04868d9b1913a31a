import { StatusError } from '#base/errors.ts';

/** The sentence is upstream's of Kubernetes, which its clients show. */
export function expired(asked: bigint, compacted: bigint): StatusError {
  return new StatusError('Expired', `too old resource version: ${String(asked)} (${String(compacted)})`);
}

/** As `expired`, for a revision that is still to come. */
export function tooNew(asked: bigint, current: bigint): StatusError {
  return new StatusError('Timeout', `Too large resource version: ${String(asked)}, current: ${String(current)}`, {
    retryAfterMs: 1000,
  });
}

/** `actual` 0n: the key is not there. */
export function conflict(key: string, expected: bigint, actual: bigint): StatusError {
  const want = expected === 0n ? 'not there' : `at revision ${String(expected)}`;
  const state = actual === 0n ? 'not there' : `at revision ${String(actual)}`;
  return new StatusError('Conflict', `Cannot write "${key}": it is ${state}, want it ${want}; read it again`);
}

export function storeClosed(): StatusError {
  return new StatusError('Unavailable', 'Cannot use the store: it is closed');
}
