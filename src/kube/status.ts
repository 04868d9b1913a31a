import { reasonOf, reasons, StatusError, type Reason } from '#base/errors.ts';

/** Reasons of meta/v1 Status: the HTTP status, and which of our own reasons it is. */
export const statusReasons = {
  BadRequest: { code: 400, reason: 'InvalidArgument' },
  Unauthorized: { code: 401, reason: 'Unauthorized' },
  Forbidden: { code: 403, reason: 'Forbidden' },
  NotFound: { code: 404, reason: 'NotFound' },
  MethodNotAllowed: { code: 405, reason: 'NotSupported' },
  NotAcceptable: { code: 406, reason: 'InvalidArgument' },
  // Of two with one code the first is what an error of our own becomes.
  Conflict: { code: 409, reason: 'Conflict' },
  AlreadyExists: { code: 409, reason: 'Conflict' },
  Expired: { code: 410, reason: 'Expired' },
  Gone: { code: 410, reason: 'NotFound' },
  RequestEntityTooLarge: { code: 413, reason: 'TooLarge' },
  UnsupportedMediaType: { code: 415, reason: 'InvalidArgument' },
  Invalid: { code: 422, reason: 'InvalidArgument' },
  TooManyRequests: { code: 429, reason: 'Unavailable' },
  InternalError: { code: 500, reason: 'Internal' },
  NotImplemented: { code: 501, reason: 'NotSupported' },
  ServiceUnavailable: { code: 503, reason: 'Unavailable' },
  Timeout: { code: 504, reason: 'Timeout' },
} as const satisfies Record<string, { code: number; reason: Reason }>;

export type StatusReason = keyof typeof statusReasons;

/** One thing that is wrong: a type of field-error.ts or `FieldManagerConflict` and others, and where. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource (plural), in Invalid the kind. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** meta/v1 Status as clients get it. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  /** `continue`: the token of a list that can only go on with what is there now. */
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** Group and plural, such as `{ group: 'apps', resource: 'deployments' }`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** An error of the Kubernetes API, which its client gets as a Status; texts are upstream's (apimachinery, api/errors). */
export class ApiError extends StatusError {
  readonly statusReason: StatusReason;
  readonly details: StatusDetails | undefined;

  constructor(statusReason: StatusReason, message: string, details?: StatusDetails, cause?: unknown) {
    super(statusReasons[statusReason].reason, message, {
      problems: (details?.causes ?? []).map((one) => ({ path: one.field ?? '', message: one.message })),
      ...(details?.retryAfterSeconds === undefined ? {} : { retryAfterMs: details.retryAfterSeconds * 1000 }),
      cause,
    });
    this.statusReason = statusReason;
    this.details = details;
  }

  get code(): number {
    return statusReasons[this.statusReason].code;
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.statusReason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `pods "x" not found`. */
export function notFound(of: GroupResource, name: string): ApiError {
  return new ApiError('NotFound', `${qualified(of)} ${quote(name)} not found`, detailsOf(of, name));
}

/** `pods "x" already exists`. */
export function alreadyExists(of: GroupResource, name: string): ApiError {
  return new ApiError('AlreadyExists', `${qualified(of)} ${quote(name)} already exists`, detailsOf(of, name));
}

/** `Operation cannot be fulfilled on pods "x": ...`; without `what`: the object was changed meanwhile. */
export function conflict(of: GroupResource, name: string, what: string = modified): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(of)} ${quote(name)}: ${what}`;
  return new ApiError('Conflict', message, detailsOf(of, name));
}

/** `Deployment.apps "x" is invalid: spec.replicas: Invalid value: ...`; several causes stand in brackets. */
export function invalid(of: GroupKind, name: string, causes: readonly StatusCause[]): ApiError {
  const texts = [...new Set(causes.map((one) => (one.field ? `${one.field}: ${one.message}` : one.message)))];
  const text = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const kind = of.group === '' ? of.kind : `${of.kind}.${of.group}`;
  return new ApiError('Invalid', `${kind} ${quote(name)} is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(of.group === '' ? {} : { group: of.group }),
    ...(of.kind === '' ? {} : { kind: of.kind }),
    causes,
  });
}

/** `pods "x" is forbidden: why`; without a name `pods is forbidden: why`. */
export function forbidden(of: GroupResource, name: string, why: string): ApiError {
  const what = [qualified(of), name === '' ? '' : quote(name)].filter((part) => part !== '').join(' ');
  return new ApiError('Forbidden', what === '' ? `forbidden: ${why}` : `${what} is forbidden: ${why}`, {
    ...detailsOf(of, name),
  });
}

export function badRequest(message: string, cause?: unknown): ApiError {
  return new ApiError('BadRequest', message, undefined, cause);
}

/** The Status of any thrown value; what is no StatusError shows as an internal error without its insides. */
export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.toStatus();
  const reason = reasonOf(error);
  if (!(error instanceof StatusError)) return new ApiError('InternalError', 'Internal error occurred').toStatus();
  const code = reasons[reason].httpStatus;
  const [statusReason = 'InternalError'] = Object.entries(statusReasons).find(([, row]) => row.code === code) ?? [];
  const seconds = error.retryAfterMs === undefined ? undefined : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
  const details = seconds === undefined ? undefined : { retryAfterSeconds: seconds };
  return new ApiError(statusReason as StatusReason, error.message, details).toStatus();
}

const modified = 'the object has been modified; please apply your changes to the latest version and try again';

/** `deployments.apps`, `pods`. */
function qualified({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(resource === '' ? {} : { kind: resource }),
  };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
