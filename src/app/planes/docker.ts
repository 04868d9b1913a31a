import { serveDocker } from '#docker/serve-docker.ts';
import type { Engine } from '#engine/engine.ts';

import type { Plane } from '../plane.ts';
import { slipwayVersion } from '../version.ts';

/** The Docker Engine API on its unix socket. */
export const dockerPlane: Plane<{ readonly socket: string }, { readonly engine: Engine }, undefined> = {
  name: 'docker',
  start: async ({ socket }, { engine }, { logger, signal }) => {
    const versionInfo = { version: slipwayVersion() };
    const server = await serveDocker({ engine, socketPath: socket, logger, versionInfo }, signal);
    const closed = Promise.withResolvers<void>();
    return {
      gives: undefined,
      done: closed.promise,
      health: () => ({ state: 'healthy', message: `unix://${socket}` }),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        closed.resolve();
      },
    };
  },
};
