/**
 * The reasons an operation can fail that its caller can act on. One row per reason; HTTP faces, the CLI's exit
 * code and `docs/errors.md` are all read from this table.
 */
export const reasons = {
  InvalidArgument: { httpStatus: 400, exitCode: 2, action: 'Correct the named value and send the request again.' },
  Unauthorized: { httpStatus: 401, exitCode: 3, action: 'Log in, or send the right credentials.' },
  Forbidden: {
    httpStatus: 403,
    exitCode: 3,
    action: 'The state or a policy forbids this; the message names what to change first.',
  },
  NotFound: { httpStatus: 404, exitCode: 4, action: 'Check the name; list what exists.' },
  Conflict: {
    httpStatus: 409,
    exitCode: 5,
    action: 'Something else holds the name or the state; the message names it.',
  },
  Expired: {
    httpStatus: 410,
    exitCode: 5,
    action: 'What was asked for is too long ago and was forgotten; list again and go on from there.',
  },
  Busy: {
    httpStatus: 500,
    exitCode: 5,
    action: 'Something outside Slipway holds a resource of the machine, such as a port; the message names it.',
  },
  TooLarge: { httpStatus: 413, exitCode: 2, action: 'Send less: the message names the limit.' },
  NotSupported: {
    httpStatus: 501,
    exitCode: 6,
    action: 'Slipway does not do this (yet); leave the named option away.',
  },
  Unavailable: { httpStatus: 503, exitCode: 7, action: 'A peer or resource is not available now; try again later.' },
  Timeout: { httpStatus: 504, exitCode: 7, action: 'It took longer than allowed; try again or raise the limit.' },
  Damaged: {
    httpStatus: 500,
    exitCode: 8,
    action: 'Stored or received bytes are not what they should be; the message names them.',
  },
  DiskFull: {
    httpStatus: 500,
    exitCode: 7,
    action: 'Remove images, containers, volumes or build cache (docker system prune), or enlarge the filesystem.',
  },
  Internal: { httpStatus: 500, exitCode: 1, action: 'A defect of Slipway: report it with the log.' },
} as const satisfies Record<string, { httpStatus: number; exitCode: number; action: string }>;

export type Reason = keyof typeof reasons;

/** One thing that is wrong with an input: where (a path such as `spec.ports[0]` or `Dockerfile:3`) and what. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

export interface StatusErrorOptions {
  readonly problems?: readonly Problem[];
  /** Milliseconds after which a retry can succeed. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * An error that the caller can act on. Message: `Cannot <verb> <thing> "<name>": <state now>; <the way out>`, or the
 * upstream's own words where clients match on them. Every other Error is a defect of ours and leaves as Internal.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly reason: Reason;
  readonly problems: readonly Problem[];
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.problems = options.problems ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The reason of any thrown value: its own when it is a StatusError; a full disk may show anywhere; else Internal. */
export function reasonOf(error: unknown): Reason {
  if (error instanceof StatusError) return error.reason;
  return isDiskFull(error) ? 'DiskFull' : 'Internal';
}

/** Whether a system call failed for want of room, on the filesystem or in a quota. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** One line for a person: the messages of the error and its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`;
  return cause !== '' && error.message.includes(cause.slice(2)) ? error.message : error.message + cause;
}
