import { badRequest, invalid, type StatusCause } from '#kube/status.ts';

import { isTrue } from '../http/request-info.ts';

/** meta/v1 ListOptions, as a query has them. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Objects at most; 0: all. */
  readonly limit: number;
  /** Token of the page before; empty: the first page. */
  readonly continueToken: string;
  /** undefined: the latest; 0n: whatever the cache has. */
  readonly revision: bigint | undefined;
  readonly match: '' | 'Exact' | 'NotOlderThan';
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  /** Seconds after which the request ends; undefined: the server's choice. */
  readonly timeoutSeconds: number | undefined;
}

/** Throws BadRequest, or Invalid with upstream's causes (apimachinery, internalversion/validation). */
export function parseListOptions(query: URLSearchParams, isWatch: boolean): ListOptions {
  const initial = query.get('sendInitialEvents');
  const options: ListOptions = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit: wholeNumber(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    revision: parseRevision(query.get('resourceVersion') ?? ''),
    match: (query.get('resourceVersionMatch') ?? '') as ListOptions['match'],
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
  };
  const causes = isWatch ? watchProblems(options) : listProblems(options);
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes);
  return options;
}

/** undefined for none; throws BadRequest for what is no number of 64 bits. */
export function parseRevision(text: string): bigint | undefined {
  if (text === '') return undefined;
  if (/^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n) return BigInt(text);
  const quoted = JSON.stringify(text);
  throw badRequest(`resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Math.max(0, Number(text));
  const quoted = JSON.stringify(text);
  throw badRequest(`${name}: Invalid value: ${quoted}: strconv.ParseInt: parsing ${quoted}: invalid syntax`);
}

function listProblems({ match, revision, continueToken, sendInitialEvents }: ListOptions): readonly StatusCause[] {
  const causes: StatusCause[] = [];
  if (sendInitialEvents !== undefined)
    causes.push(prohibited('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  if (match === '') return causes;
  if (revision === undefined)
    causes.push(prohibited(matchField, `${matchField} is forbidden unless resourceVersion is provided`));
  if (continueToken !== '') causes.push(prohibited(matchField, `${matchField} is forbidden when continue is provided`));
  if (match !== 'Exact' && match !== 'NotOlderThan') causes.push(unsupportedMatch(match));
  if (match === 'Exact' && revision === 0n)
    causes.push(prohibited(matchField, `${matchField} "Exact" is forbidden for resourceVersion "0"`));
  return causes;
}

function watchProblems({ match, sendInitialEvents, allowWatchBookmarks, continueToken }: ListOptions): StatusCause[] {
  const causes: StatusCause[] = [];
  if (continueToken !== '') causes.push(prohibited('continue', 'continue is forbidden for watch'));
  if (sendInitialEvents === undefined) {
    if (match !== '')
      causes.push(prohibited(matchField, `${matchField} is forbidden for watch unless sendInitialEvents is provided`));
    return causes;
  }
  if (match === '')
    causes.push(prohibited(matchField, `sendInitialEvents requires setting ${matchField} to NotOlderThan`));
  else if (match !== 'NotOlderThan') causes.push(unsupportedMatch(match));
  if (sendInitialEvents && !allowWatchBookmarks)
    causes.push(prohibited('sendInitialEvents', 'sendInitialEvents requires allowWatchBookmarks'));
  return causes;
}

const matchField = 'resourceVersionMatch';

function prohibited(field: string, why: string): StatusCause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}

function unsupportedMatch(match: string): StatusCause {
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`;
  return { reason: 'FieldValueNotSupported', message, field: matchField };
}
