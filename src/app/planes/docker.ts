import { type RoleSocket, serveDocker } from '#docker/serve-docker.ts';
import type { Engine } from '#engine/engine.ts';

import type { Plane } from '../plane.ts';
import type { ValuesOf } from '../setting.ts';
import { slipwayVersion } from '../version.ts';
import type { dockerSettings } from './docker-settings.ts';
import type { SocketSetting } from './socket-setting.ts';

type DockerConfig = Pick<ValuesOf<typeof dockerSettings>, 'socket' | 'sockets'>;

/** The Docker Engine API on its unix sockets. */
export const dockerPlane: Plane<DockerConfig, { readonly engine: Engine }, undefined> = {
  name: 'docker',
  start: async ({ socket, sockets }, { engine }, { logger, signal }) => {
    const versionInfo = { version: slipwayVersion() };
    const server = await serveDocker(
      { engine, socketPath: socket, sockets: sockets.map(roleSocket), logger, versionInfo },
      signal,
    );
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

function roleSocket({ path, role, project, allow, mode, group }: SocketSetting): RoleSocket {
  const access = { path, mode, group };
  if (role === 'project') return { ...access, role: { kind: 'project', project, allows: allow } };
  return { ...access, role: { kind: role } };
}
