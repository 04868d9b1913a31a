/** `mask`: with secrets hidden. */
export type ReadOnlyRule = 'allow' | 'mask' | 'deny';

/**
 * `allow` and `deny`; `build`: with the allowance `build`; `pull`: not from a tar of the client's; `list`: filtered to the project; the others: when the thing that
 * the path names belongs to the project, or the body is within the project's bounds.
 */
export type ProjectRule =
  | 'allow'
  | 'deny'
  | 'build'
  | 'buildKit'
  | 'pull'
  | 'list'
  | 'container'
  | 'exec'
  | 'network'
  | 'volume'
  | 'createContainer'
  | 'createExec'
  | 'createNetwork'
  | 'connect'
  | 'createVolume';

export interface RoutePolicy {
  readonly readOnly: ReadOnlyRule;
  readonly project: ProjectRule;
}

type Row = readonly [route: string, readOnly: ReadOnlyRule, project: ProjectRule];

/** What each endpoint is to the clients of a socket with a role. An endpoint without a row is denied, and fails a test. */
const rows: readonly Row[] = [
  ['GET /_ping', 'allow', 'allow'],
  ['HEAD /_ping', 'allow', 'allow'],
  ['GET /version', 'allow', 'allow'],
  ['GET /info', 'allow', 'allow'],
  ['GET /events', 'allow', 'list'],
  ['GET /system/df', 'mask', 'deny'],
  ['POST /auth', 'deny', 'allow'],
  ['POST /session', 'deny', 'buildKit'],
  ['POST /grpc', 'deny', 'buildKit'],
  ['POST /build', 'deny', 'build'],
  ['POST /build/prune', 'deny', 'deny'],
  ['POST /build/cancel', 'deny', 'build'],
  ['POST /commit', 'deny', 'deny'],

  ['GET /containers/json', 'allow', 'list'],
  ['POST /containers/create', 'deny', 'createContainer'],
  ['POST /containers/prune', 'deny', 'list'],
  ['GET /containers/{id}/json', 'mask', 'container'],
  ['POST /containers/{id}/start', 'deny', 'container'],
  ['POST /containers/{id}/stop', 'deny', 'container'],
  ['POST /containers/{id}/restart', 'deny', 'container'],
  ['POST /containers/{id}/kill', 'deny', 'container'],
  ['POST /containers/{id}/pause', 'deny', 'container'],
  ['POST /containers/{id}/unpause', 'deny', 'container'],
  ['POST /containers/{id}/wait', 'deny', 'container'],
  ['POST /containers/{id}/resize', 'deny', 'container'],
  ['POST /containers/{id}/rename', 'deny', 'container'],
  ['POST /containers/{id}/update', 'deny', 'container'],
  ['POST /containers/{id}/attach', 'deny', 'container'],
  ['GET /containers/{id}/attach/ws', 'deny', 'container'],
  ['GET /containers/{id}/logs', 'allow', 'container'],
  ['GET /containers/{id}/stats', 'allow', 'container'],
  ['GET /containers/{id}/top', 'allow', 'container'],
  ['GET /containers/{id}/changes', 'allow', 'container'],
  ['GET /containers/{id}/export', 'deny', 'container'],
  ['HEAD /containers/{id}/archive', 'deny', 'container'],
  ['GET /containers/{id}/archive', 'deny', 'container'],
  ['PUT /containers/{id}/archive', 'deny', 'container'],
  ['POST /containers/{id}/checkpoints', 'deny', 'container'],
  ['GET /containers/{id}/checkpoints', 'allow', 'container'],
  ['DELETE /containers/{id}/checkpoints/{checkpoint}', 'deny', 'container'],
  ['DELETE /containers/{id*}', 'deny', 'container'],
  ['POST /containers/{id}/exec', 'deny', 'createExec'],
  ['POST /exec/{id}/start', 'deny', 'exec'],
  ['POST /exec/{id}/resize', 'deny', 'exec'],
  ['GET /exec/{id}/json', 'allow', 'exec'],

  ['GET /images/json', 'allow', 'allow'],
  ['GET /images/search', 'allow', 'allow'],
  ['GET /images/get', 'deny', 'deny'],
  ['POST /images/load', 'deny', 'deny'],
  ['POST /images/prune', 'deny', 'deny'],
  ['POST /images/create', 'deny', 'pull'],
  ['GET /images/{name*}/json', 'mask', 'allow'],
  ['GET /images/{name*}/history', 'allow', 'allow'],
  ['GET /images/{name*}/get', 'deny', 'deny'],
  ['POST /images/{name*}/push', 'deny', 'deny'],
  ['POST /images/{name*}/tag', 'deny', 'deny'],
  ['DELETE /images/{name*}', 'deny', 'deny'],
  ['GET /distribution/{name*}/json', 'allow', 'allow'],

  ['GET /networks', 'allow', 'list'],
  ['POST /networks/create', 'deny', 'createNetwork'],
  ['POST /networks/prune', 'deny', 'list'],
  ['POST /networks/{id}/connect', 'deny', 'connect'],
  ['POST /networks/{id}/disconnect', 'deny', 'connect'],
  ['GET /networks/{id}', 'allow', 'network'],
  ['DELETE /networks/{id}', 'deny', 'network'],

  ['GET /volumes', 'mask', 'list'],
  ['POST /volumes/create', 'deny', 'createVolume'],
  ['POST /volumes/prune', 'deny', 'list'],
  ['GET /volumes/{name}', 'mask', 'volume'],
  ['PUT /volumes/{name}', 'deny', 'volume'],
  ['DELETE /volumes/{name}', 'deny', 'volume'],
];

const table: ReadonlyMap<string, RoutePolicy> = new Map(
  rows.map(([route, readOnly, project]) => [route, { readOnly, project }]),
);

/** There are no swarms and plugins: who asks is told so, whoever it is. */
const absent = /^\/(?:swarm|nodes|services|tasks|secrets|configs|plugins)(?:\/|$)/;

/** The policy of an endpoint; undefined when there is none. */
export function policyOf(method: string, path: string): RoutePolicy | undefined {
  if (absent.test(path)) return { readOnly: 'allow', project: 'allow' };
  return table.get(`${method} ${path}`);
}

/** The endpoints that have a row. */
export function policedRoutes(): readonly string[] {
  return [...table.keys()];
}
