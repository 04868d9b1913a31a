import { StatusError, messageOf, reasonOf, reasons } from '#base/errors.ts';
import type { Logger } from '#base/logger.ts';

import type { ApiVersion } from './api-version.ts';
import { formatVersion, maximumApiVersion, splitVersion } from './api-version.ts';
import { Query } from './query.ts';
import type { Headers } from './headers.ts';
import type { ValueReply } from './reply.ts';
import { errorBody } from './reply.ts';
import type { RouteMatch, RouteTable } from './route.ts';

/** A request's target, resolved to the endpoint that answers it. */
export interface Target extends RouteMatch {
  readonly version: ApiVersion;
  readonly query: Query;
}

/** Finds the endpoint of a request; throws NotFound `page not found`, or InvalidArgument for a bad version or path. */
export function resolveTarget(routes: RouteTable, method: string, url: string): Target {
  const [rawPath = '', ...search] = url.replace(/^https?:\/\/[^/]*/, '').split('?');
  const { version, path } = splitVersion(decodePath(rawPath));
  const match = routes(method, path, version);
  if (match === undefined) throw new StatusError('NotFound', 'page not found');
  return { ...match, version, query: new Query(search.join('?')) };
}

/** Headers that every answer carries. */
export function commonHeaders(serverVersion: string): Headers {
  return {
    'Api-Version': formatVersion(maximumApiVersion),
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Slipway/${serverVersion} (linux)`,
  };
}

/** The HTTP answer for anything thrown; defects are logged here, once. */
export function errorReply(error: unknown, logger: Logger, fields: Readonly<Record<string, unknown>>): ValueReply {
  const reason = reasonOf(error);
  if (reason === 'Internal') logger.error('request failed by a defect', { ...fields, error, stack: stackOf(error) });
  const retryAfterMs = error instanceof StatusError ? error.retryAfterMs : undefined;
  const headers: Headers =
    retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  const body = errorBody(messageOf(error));
  return { kind: 'value', status: reasons[reason].httpStatus, contentType: 'application/json', body, headers };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new StatusError('InvalidArgument', `Cannot read the path "${path}": bad percent-encoding`, { cause: error });
  }
}
