import { buildRoutes } from './build/build-routes.ts';
import { buildKitRoutes } from './buildkit/buildkit-routes.ts';
import { containerRoutes } from './containers/container-routes.ts';
import { execRoutes } from './containers/exec-routes.ts';
import type { Context } from './context.ts';
import type { Route } from './http/route.ts';
import { imageRoutes } from './images/image-routes.ts';
import { networkRoutes } from './networks/network-routes.ts';
import { swarmRoutes } from './swarm/swarm-routes.ts';
import { systemRoutes } from './system/system-routes.ts';
import { volumeRoutes } from './volumes/volume-routes.ts';

/** Every endpoint of the API. */
export function apiRoutes(context: Context): readonly Route[] {
  return [
    ...systemRoutes(context),
    ...containerRoutes(context),
    ...execRoutes(context),
    ...imageRoutes(context),
    ...buildRoutes(context),
    ...buildKitRoutes(context),
    ...networkRoutes(context),
    ...volumeRoutes(context),
    ...swarmRoutes(),
  ];
}
