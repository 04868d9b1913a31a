import { StatusError } from '#base/errors.ts';

import { json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';

/** Docker's words, on which clients match. */
const noManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and ' +
  'try again.';

/** Endpoints of swarms and plugins: there are none, as clients expect of a daemon without them. */
export function swarmRoutes(): readonly Route[] {
  const objects = ['nodes', 'services', 'tasks', 'secrets', 'configs'];
  const methods = ['GET', 'POST', 'DELETE'] as const;
  return [
    ...methods.flatMap((method): readonly Route[] => [
      ...['swarm/init', 'swarm/join'].map((path) => refusal(method, `/${path}`, noSwarm)),
      ...['swarm', ...objects].flatMap((name) => [
        refusal(method, `/${name}`, noManagerError),
        refusal(method, `/${name}/{rest*}`, noManagerError),
      ]),
    ]),
    // Volumes of a cluster: the only ones that can be changed.
    refusal('PUT', '/volumes/{name}', noManagerError),
    { method: 'GET', path: '/plugins', handle: () => json([]) },
    { method: 'GET', path: '/plugins/privileges', handle: refusePlugins },
    {
      method: 'GET',
      path: '/plugins/{name*}/json',
      handle: ({ params }) => {
        throw new StatusError('NotFound', `plugin "${params['name'] ?? ''}" not found`);
      },
    },
    ...methods.map((method) => refusal(method, '/plugins/{rest*}', pluginError)),
  ];
}

function refusal(method: Route['method'], path: string, error: () => StatusError): Route {
  return {
    method,
    path,
    handle: () => {
      throw error();
    },
  };
}

function noManagerError(): StatusError {
  return new StatusError('Unavailable', noManager);
}

function noSwarm(): StatusError {
  return new StatusError('NotSupported', 'Cannot form a swarm: this daemon runs containers on one machine');
}

function pluginError(): StatusError {
  return new StatusError('NotSupported', 'Cannot use plugins: this daemon has none');
}

function refusePlugins(): never {
  throw pluginError();
}
