import type { ApiVersion } from './api-version.ts';
import { speaks } from './api-version.ts';
import type { Handler } from './call.ts';

/** One endpoint of the API. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** `/containers/{id}/json`; `{name*}` also matches slashes, as names of images have them. */
  readonly path: string;
  readonly handle: Handler;
  /** The minor version of API 1.x that brought it; older clients do not see it. */
  readonly since?: number;
  /** The reply may leave HTTP: requests with an Upgrade header get the raw connection. */
  readonly hijacks?: boolean;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export type RouteTable = (method: string, path: string, version: ApiVersion) => RouteMatch | undefined;

/** Compiles routes into one lookup; the first that matches wins. */
export function routeTable(routes: readonly Route[]): RouteTable {
  const compiled = routes.map((route) => ({ route, pattern: compile(route.path) }));
  return (method, path, version) => {
    for (const { route, pattern } of compiled) {
      if (route.method !== method || (route.since !== undefined && !speaks(version, route.since))) continue;
      const match = pattern.exec(path);
      if (match !== null) return { route, params: { ...match.groups } };
    }
    return undefined;
  };
}

function compile(template: string): RegExp {
  const source = template
    .replaceAll(/[.]/g, String.raw`\.`)
    .replaceAll(/\{(\w+)\*\}/g, '(?<$1>.+)')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`, 's');
}
