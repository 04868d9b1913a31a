import { badRequest } from '#kube/status.ts';

/** A request for objects, as its path and method say it (apiserver, endpoints/request/requestinfo.go). */
export interface ResourceRequest {
  readonly type: 'resource';
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Empty: of the cluster, or of all namespaces. */
  readonly namespace: string;
  /** Plural. */
  readonly resource: string;
  /** Empty: a collection. */
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource in the path, for `proxy`. */
  readonly tail: string;
}

/** A request for anything else: discovery, health, documents. */
export interface PathRequest {
  readonly type: 'path';
  /** The method in lower case. */
  readonly verb: string;
  readonly path: string;
}

export type RequestInfo = ResourceRequest | PathRequest;

const verbsOfOne: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What a namespace has of its own; any other word after its name is a resource inside it. */
const subresourcesOfNamespaces = new Set(['status', 'finalize']);

/** Throws BadRequest for a path that is no UTF-8 in percent-encoding. */
export function parseRequest(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/').filter((part) => part !== '');
  const groupParts = parts[0] === 'api' ? 1 : parts[0] === 'apis' ? 2 : 0;
  if (groupParts === 0 || parts.length < groupParts + 2) return { type: 'path', verb: method.toLowerCase(), path };
  const [version = '', ...rest] = parts.slice(groupParts).map(decodeSegment);
  const isWatchPath = rest[0] === 'watch';
  const words = isWatchPath ? rest.slice(1) : rest;
  const group = groupParts === 1 ? '' : decodeSegment(parts[1] ?? '');
  const target = targetOf(words);
  return {
    type: 'resource',
    group,
    version,
    ...target,
    verb: verbOf(method, target.name, isWatchPath, query),
    name: target.name === '' ? nameInSelector(method, query) : target.name,
  };
}

/** Whether the path itself names one object; a field selector on metadata.name sets `name` for authorization alone. */
export function isCollection(info: ResourceRequest): boolean {
  return ['list', 'watch', 'deletecollection'].includes(info.verb) || (info.verb === 'create' && info.name === '');
}

function targetOf(
  words: readonly string[],
): Pick<ResourceRequest, 'namespace' | 'resource' | 'name' | 'subresource' | 'tail'> {
  const inside = words[0] === 'namespaces' && words.length > 2 && !subresourcesOfNamespaces.has(words[2] ?? '');
  const [resource = '', name = '', subresource = '', ...tail] = inside ? words.slice(2) : words;
  const namespace = inside ? (words[1] ?? '') : resource === 'namespaces' ? name : '';
  return { namespace, resource, name, subresource, tail: tail.join('/') };
}

function verbOf(method: string, name: string, isWatchPath: boolean, query: URLSearchParams): string {
  const verb = verbsOfOne[method] ?? method.toLowerCase();
  if (verb === 'get' && (isWatchPath || (name === '' && isTrue(query.get('watch'))))) return 'watch';
  if (verb === 'get' && name === '') return 'list';
  return verb === 'delete' && name === '' ? 'deletecollection' : verb;
}

/** Upstream authorizes lists of one name by that name. */
function nameInSelector(method: string, query: URLSearchParams): string {
  if (method === 'POST') return '';
  const terms = (query.get('fieldSelector') ?? '').split(',');
  const name = terms
    .map((term) => /^metadata\.name==?([a-z0-9.-]+)$/i.exec(term)?.[1])
    .find((one) => one !== undefined);
  return name ?? '';
}

/** As Go's url values become booleans: anything but an absent value, `false` and `0` is true. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0'].includes(value.toLowerCase());
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw badRequest(`the path has a bad percent-encoding in ${JSON.stringify(segment)}`, error);
  }
}
